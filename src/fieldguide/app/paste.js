// A picture that is pasted anywhere on the page goes into the page's own uploader, with the uploader's limits.
export default function () {
  const onPaste = (event) => {
    const input = document.querySelector('[data-testid="stFileUploaderDropzone"] input[type=file]');
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!input || !files.length) return;
    event.preventDefault();
    const transfer = new DataTransfer();
    files.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
