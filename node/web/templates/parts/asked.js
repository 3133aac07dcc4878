/* Asks the node for something; its words where it refuses stand in the element `wrong`. Returns what it answers, or null. */
async function asked(button, address, body) {
  const wrong = by("wrong");
  wrong.hidden = true;
  button.disabled = true;
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": given.csrf },
      body: JSON.stringify(body),
    });
    if (answer.status === 401) { location.reload(); return null; }
    const told = await answer.json();
    if (answer.ok) { return told; }
    wrong.textContent = [told.title, told.detail].filter(Boolean).join(english ? ": " : "：");
  } catch (error) {
    wrong.textContent = String(error.message || error);
  } finally {
    button.disabled = false;
  }
  wrong.hidden = false;
  wrong.scrollIntoView({ block: "nearest" });
  return null;
}
