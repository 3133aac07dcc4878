"use strict";
const given = JSON.parse(document.getElementById("given").textContent);
const english = !(navigator.language || "zh").toLowerCase().startsWith("zh");
const by = (id) => document.getElementById(id);
const words = {};
const worded = (key, detail) => (key ? words[key][english ? 1 : 0] + (detail || "") : "");
/* An element shows its words of the reader's language; a button that is pressed may have others. */
const labelled = (element) => {
  const suffix = element.getAttribute("aria-pressed") === "true" && element.dataset.zhPressed ? "Pressed" : "";
  element.textContent = element.dataset[(english ? "en" : "zh") + suffix];
};
const pressed = (button, is) => { button.setAttribute("aria-pressed", String(is)); labelled(button); };
document.documentElement.lang = english ? "en" : "zh-CN";
document.querySelectorAll("[data-zh]").forEach(labelled);
