"""What a model is made of, as pydantic models: read from a training config, stored in every model folder.

Nothing below ``build_network`` has heard of these: layers take plain numbers.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from taggers.units import UnitKind

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Size = Annotated[int, Field(gt=0, le=65_536)]
Layers = Annotated[int, Field(gt=0, le=128)]
Dilation = Annotated[int, Field(gt=0, le=1024)]
TaskName = Annotated[str, Field(min_length=1, pattern=r"^[^.]*$")]
"""No dot, because a task's name stands in the names of its weights."""
Storage = Literal["fp16", "int8"]
"""How a model folder holds its weights: in half precision, or large matrices in 8 bits and the others so."""
Precision = Literal["auto", "fp32", "bf16", "fp16"]
"""In how many bits encoders compute; ``auto``: 16 where the device has instructions for that, else 32."""


class Config(BaseModel):
    """The common behavior: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WordConfig(Config):
    """An embedding for each word form seen at least ``min_count`` times in training."""

    width: Size = 96
    min_count: PositiveInt = 2
    unknown_rate: Fraction = 0.1
    """How often a known form is hidden in training, so that the unknown form learns an embedding too."""


class AffixConfig(Config):
    """Embeddings of the first or last characters of the lower-cased form, one for each of ``lengths``, summed."""

    width: Size = 48
    lengths: tuple[PositiveInt, ...] = (1, 2, 3)
    min_count: PositiveInt = 3


class ShapeConfig(Config):
    """An embedding of the form's shape: ``Xxxx``, ``dd:dd``, runs cut to four."""

    width: Size = 16
    min_count: PositiveInt = 3


class CharacterConfig(Config):
    """A convolution over the form's characters, pooled by its maximum.

    A form of more than ``max_characters`` shows its first and last halves to the convolution.
    """

    width: Size = 32
    filters: Size = 96
    kernel: Size = 3
    max_characters: PositiveInt = 24
    min_count: PositiveInt = 3

    @model_validator(mode="after")
    def _odd(self) -> "CharacterConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, so that a character stands in its middle; found {self.kernel}")
        return self


class VectorConfig(Config):
    """Static word vectors, frozen and stored in 8 bits.

    ``source`` names a text file in GloVe's or word2vec's format and is read in training only.
    """

    source: str
    max_words: PositiveInt = 50_000
    lowercase: bool = True


class FeatureConfig(Config):
    """Which features of a word form are embedded; all that are given are concatenated."""

    words: WordConfig | None = None
    prefixes: AffixConfig | None = None
    suffixes: AffixConfig | None = None
    shape: ShapeConfig | None = None
    characters: CharacterConfig | None = None
    vectors: VectorConfig | None = None
    dropout: Fraction = 0.2

    @property
    def any(self) -> bool:
        """Whether there is any feature of word forms."""
        return any((self.words, self.prefixes, self.suffixes, self.shape, self.characters, self.vectors))


class BiLSTMConfig(Config):
    """A bidirectional recurrent network over packed sequences; ``width`` is that of both directions together."""

    type: Literal["bilstm"]
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    width: Size = 400
    layers: Layers = 2
    dropout: Fraction = 0.3

    @model_validator(mode="after")
    def _even(self) -> "BiLSTMConfig":
        if self.width % 2:
            raise ValueError(f"width must be even, half for each direction; found {self.width}")
        return self


class CNNConfig(Config):
    """Residual blocks of gated convolutions, one for each of ``dilations``."""

    type: Literal["cnn"]
    width: Size = 256
    kernel: Size = 3
    dilations: tuple[Dilation, ...] = Field((1, 1, 1, 1), max_length=128, fail_fast=True)
    dropout: Fraction = 0.2

    @model_validator(mode="after")
    def _odd(self) -> "CNNConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, so that a word stands in its middle; found {self.kernel}")
        return self

    @property
    def radius(self) -> int:
        """How many positions to either side a score depends on."""
        return sum(dilation * (self.kernel // 2) for dilation in self.dilations)


class TransformerConfig(Config):
    """Self-attention: a pretrained ``transformers`` model over subword pieces, or one from scratch over word features.

    ``pretrained`` is a folder, a hub name, or ``package:NAME/FOLDER`` for such a folder inside an installed Python
    package; width, layers and heads are then the pretrained model's own and must not be given.
    """

    type: Literal["transformer"]
    pretrained: Annotated[str, Field(min_length=1)] | None = None
    pooling: Literal["first", "mean"] = "first"
    max_pieces: PositiveInt = 512
    width: Size | None = None
    layers: Layers | None = None
    heads: Size | None = None
    dropout: Fraction = 0.1

    @model_validator(mode="after")
    def _one_of_two(self) -> "TransformerConfig":
        sizes = {"width": self.width, "layers": self.layers, "heads": self.heads}
        given = [name for name, size in sizes.items() if size is not None]
        if self.pretrained and given:
            raise ValueError(f"a pretrained encoder has its own {', '.join(given)}: leave them out")
        if not self.pretrained and len(given) < len(sizes):
            raise ValueError("an encoder from scratch needs width, layers and heads; or give pretrained")
        if self.width and self.heads and self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of 2 * heads; found {self.width} and {self.heads}")
        return self


EncoderConfig = Annotated[BiLSTMConfig | CNNConfig | TransformerConfig, Field(discriminator="type")]


class TaskConfig(Config):
    """One layer that the network fills.

    ``type``: ``token`` labels each word, ``lemma`` does so through edit rules, ``span`` through the BIO codec,
    ``boundaries`` labels the units of a raw text. ``from`` names the layer in the data (by default its own name).
    """

    type: Literal["token", "lemma", "span", "boundaries"] = "token"
    source: str | None = Field(default=None, alias="from")
    scheme: Literal["BIO", "BIOES"] = "BIO"
    decoder: Literal["softmax", "crf"] = "softmax"
    weight: Annotated[float, Field(gt=0)] = 1.0
    min_count: PositiveInt = 1
    label_smoothing: Fraction = 0.0

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _nothing_ignored(self) -> "TaskConfig":
        if self.label_smoothing and self.decoder == "crf":
            raise ValueError("label_smoothing is of the softmax decoder: a CRF has no use for it")
        if self.min_count > 1 and self.type in ("span", "boundaries"):
            raise ValueError(f"min_count is of tasks with open label sets: a task of type {self.type!r} keeps all")
        return self

    @property
    def layer(self) -> str | None:
        """The layer's name in the data: ``conllu:upos`` and ``upos`` both say ``upos``."""
        return self.source.rpartition(":")[2] if self.source else None


class NetworkConfig(Config):
    """One network: features, encoder and tasks."""

    features: FeatureConfig = FeatureConfig()
    encoder: EncoderConfig
    tasks: dict[TaskName, TaskConfig] = Field(min_length=1)
    window: PositiveInt = 512
    """The longest sequence, in words or characters, that the network reads at once."""
    margin: PositiveInt = 32
    """How many positions of context windows over a longer sequence share on either side."""
    units: UnitKind = "characters"
    """Of a segmenter: what it labels; a pretrained encoder cannot read characters."""
    lookahead: Annotated[int, Field(ge=0, le=16)] = 0
    """Of a segmenter of characters: how many of those behind its own each form shows; its prefixes are n-grams."""

    @model_validator(mode="after")
    def _consistent(self) -> "NetworkConfig":
        if self.window <= 2 * self.margin:
            raise ValueError(f"window must be more than twice the margin; found {self.window} and {self.margin}")
        pretrained = isinstance(self.encoder, TransformerConfig) and self.encoder.pretrained
        if not pretrained and not self.features.any:
            raise ValueError("without a pretrained encoder at least one feature of word forms is needed")
        if self.units != "characters" and self.lookahead:
            raise ValueError(f"lookahead is of characters, and the units are {self.units}")
        if pretrained and self.units == "characters" and any(t.type == "boundaries" for t in self.tasks.values()):
            raise ValueError('a pretrained encoder reads words or syllables, not characters: set units = "syllables"')
        return self
