function made(tag, text, ...children) {
  const element = document.createElement(tag);
  element.textContent = text || "";
  element.append(...children);
  return element;
}
function button(zh, en, name, pressed) {
  const element = made("button", english ? en : zh);
  element.type = "button";
  element.className = name;
  element.addEventListener("click", pressed);
  return element;
}

/* Whom to call: of nodes that are found by name or code, each time a hall or somebody's number. `only` says whether one alone is to be called. */
class Whom {
  constructor(find, found, list, only) {
    Object.assign(this, { find, found, list, only, members: [], asked: 0 });
    find.addEventListener("input", () => this.look());
  }

  /* As the node is told. */
  get told() { return this.members.map((one) => ({ node: one.place.node, [one.way]: one.who.trim(), role: one.role })); }

  keep(count) { this.members.length = Math.min(count, this.members.length); this.draw(); }

  async look() {
    const mine = this.asked += 1, find = this.find.value.trim();
    const places = find ? await api(`/api/callable?find=${encodeURIComponent(find)}`).catch(() => []) : [];
    if (mine !== this.asked) { return; }
    this.found.replaceChildren(...places.map((place) => button(`＋ ${place.name}`, `+ ${place.name}`, "other", () => this.add(place))));
    if (find && !places.length) { this.found.replaceChildren(made("span", english ? "no such node here or below" : "本级及以下没有这样的节点")); }
  }

  add(place) {
    if (this.only()) { this.members.length = 0; }
    this.members.push({ place, way: "hall", who: place.halls[0] || (english ? "hall" : "办事大厅"), role: "speaker" });
    this.find.value = "";
    this.found.replaceChildren();
    this.draw();
  }

  draw() {
    const chosen = (options, value, change) => {
      const select = document.createElement("select");
      select.append(...options.map(([key, zh, en]) => new Option(english ? en : zh, key, false, key === value)));
      select.addEventListener("change", () => change(select.value));
      return select;
    };
    this.list.replaceChildren(...this.members.map((member, number) => {
      const who = document.createElement("input"), halls = document.createElement("datalist");
      halls.id = `halls-${number}`;
      halls.append(...member.place.halls.map((hall) => new Option(hall)));
      who.value = member.who;
      who.required = true;
      who.setAttribute("aria-label", english ? "which hall, or whose number" : "大厅名称或工号");
      if (member.way === "hall") { who.setAttribute("list", halls.id); }
      who.addEventListener("input", () => { member.who = who.value; });
      const way = chosen([["hall", "大厅", "hall"], ["person", "工号", "number"]], member.way, (value) => { member.way = value; member.who = ""; this.draw(); });
      const role = chosen([["speaker", "可发言", "speaks"], ["watcher", "只观看", "watches"]], member.role, (value) => { member.role = value; });
      const line = made("li", "", made("b", member.place.name), way, who, halls, role,
        button("移除", "Take out", "other", () => { this.members.splice(number, 1); this.draw(); }));
      line.className = "member";
      return line;
    }));
  }
}
