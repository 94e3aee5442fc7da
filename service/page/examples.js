/** A first text for each language, so that there is something to see. */

export const EXAMPLES = {
  en: "Ada Lovelace didn’t only translate: she wrote to Charles Babbage in London and described how his Analytical Engine could compute Bernoulli numbers. The Science Museum in South Kensington keeps a part of it.",
  vi: "Hà Nội là thủ đô của Việt Nam. Nguyễn Du viết Truyện Kiều vào đầu thế kỷ 19.",
  ja: "夏目漱石は東京で生まれ、ロンドンに留学した。「吾輩は猫である」は1905年に発表された。",
};
