/**
 * The text to tag: what is typed, or a long text that is kept beside the field, because a field with a megabyte in it
 * holds up every keystroke.
 */

const LONG = 50_000;

const number = new Intl.NumberFormat("en");

export class Source {
  #field;
  #notice;
  #name;
  #kept = null;

  /**
   * @param {HTMLTextAreaElement} field Where a text is typed.
   * @param {{notice: HTMLElement, name: HTMLElement, remove: HTMLButtonElement}} parts Takes the field's place while a
   *   long text is kept, says which, and makes it go.
   * @param {() => void} taken Called when a long text was pasted.
   */
  constructor(field, { notice, name, remove }, taken) {
    this.#field = field;
    this.#notice = notice;
    this.#name = name;
    remove.addEventListener("click", () => {
      this.set("");
      field.focus();
    });
    field.addEventListener("paste", (event) => {
      const pasted = event.clipboardData.getData("text/plain");
      if (field.value.length + pasted.length <= LONG) return;
      event.preventDefault();
      const before = field.value.slice(0, field.selectionStart);
      this.set(before + pasted + field.value.slice(field.selectionEnd), "Pasted text");
      taken();
    });
  }

  get text() {
    return this.#kept ?? this.#field.value;
  }

  /**
   * @param {string} text
   * @param {string} name What it is called where it is too long to be shown.
   */
  set(text, name = "") {
    const isLong = text.length > LONG;
    this.#kept = isLong ? text : null;
    this.#field.value = isLong ? "" : text;
    this.#field.hidden = isLong;
    this.#notice.hidden = !isLong;
    this.#name.textContent = `${name}, ${number.format(text.length)} characters`;
  }
}
