/** One image cannot be used; `code` is one of docs/images.md, the message a sentence for a person. */
export class RefusedInput extends Error {
  constructor(code, message) {
    super(message);
    this.name = "RefusedInput";
    this.code = code;
  }
}
