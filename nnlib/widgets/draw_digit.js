// The pad of DrawDigit: strokes from mouse, finger, pen or keys become the trait `value`, a list of strokes, each a
// list of points [x, y] from 0 to 1 (y down). It draws at once by itself; Python hears of it ten times a second.

const SIDE = 240; // pixels of the page
const PEN = 12; // width of the line
const PAUSE = 100; // milliseconds between messages while a stroke grows
const NEAR = 0.004; // points closer than this are one point
const STEP = 1 / 32; // of the pad, by one press of an arrow key; with shift four times as far
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP =
  "Draw here with mouse, finger or pen. By keyboard: arrow keys move the pen (with shift: farther), space puts it " +
  "down and lifts it, backspace takes back a stroke, delete clears.";
let count = 0;

function element(name, attributes, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function clip(number) {
  return Math.round(1e4 * Math.min(1, Math.max(0, number))) / 1e4;
}

function render({ model, el }) {
  const id = `nnlib-pad-${++count}`;
  const canvas = element("canvas", {
    class: "nnlib-pad", tabindex: "0", role: "application", "aria-label": model.get("description"),
    "aria-describedby": `${id}-help ${id}-pen`, "data-lm-suppress-shortcuts": "true", // else Lab takes the arrow keys
    style: `display:block;width:${SIDE}px;height:${SIDE}px;touch-action:none;cursor:crosshair;background:white;` +
      "border:1px solid #6B6B6B;border-radius:4px;outline-offset:-3px",
  });
  const help = element("div", {
    id: `${id}-help`, style: `width:${SIDE}px;font-size:12px;line-height:1.35;margin-top:4px`,
  }, HELP);
  const state = element("div", {
    id: `${id}-pen`, role: "status", style: `width:${SIDE}px;font-size:12px;line-height:1.35;height:2.7em`,
  }); // always two lines high: a button below must not move away under the mouse that leaves the pad
  el.append(canvas, help, state);
  const scale = Math.max(2, window.devicePixelRatio || 1);
  canvas.width = canvas.height = SIDE * scale;
  const context = canvas.getContext("2d");

  let strokes = model.get("value");
  let growing = null; // the stroke that is being drawn
  let pointer = null; // whose it is: the number of a pointer, or "keys"
  let pen = [0.5, 0.5]; // where the keys are
  let timer = 0;

  function paint() {
    context.setTransform(SIDE * scale, 0, 0, SIDE * scale, 0, 0);
    context.clearRect(0, 0, 1, 1);
    context.strokeStyle = context.fillStyle = model.get("example") ? "#6B6B6B" : "#222222";
    context.lineWidth = PEN / SIDE;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
    if (document.activeElement === canvas && canvas.matches(":focus-visible")) {
      canvas.style.outline = "3px solid #0072B2";
      context.beginPath();
      context.arc(...pen, (0.7 * PEN) / SIDE, 0, 2 * Math.PI);
      context.lineWidth = 2.5 / SIDE;
      context.strokeStyle = "#D55E00";
      context.stroke();
      if (pointer === "keys") {
        context.fillStyle = "#D55E00";
        context.fill();
      }
    } else {
      canvas.style.outline = "none";
    }
  }

  function tell() {
    const [x, y] = pen.map((part) => Math.round(100 * part));
    state.textContent = `Pen ${pointer === "keys" ? "down" : "up"}, ${x}% from the left, ${y}% from the top.`;
  }

  function send() {
    clearTimeout(timer);
    timer = 0;
    model.set("value", strokes.map((stroke) => stroke.map((point) => [...point]))); // a copy: else nothing has changed
    model.save_changes();
  }

  function sendSoon() {
    timer = timer || setTimeout(send, PAUSE);
  }

  function begin(who, point) {
    if (model.get("example")) {
      model.set("example", false); // first: `changed` is called, and would bring the example back
      strokes = [];
    }
    pointer = who;
    growing = [point];
    strokes = [...strokes, growing];
    paint();
    sendSoon();
  }

  function extend(point) {
    const [x, y] = growing[growing.length - 1];
    if (Math.hypot(point[0] - x, point[1] - y) < NEAR) return;
    growing.push(point);
    paint();
    sendSoon();
  }

  function end() {
    if (pointer === null) return;
    pointer = growing = null;
    paint();
    send();
  }

  function replace(others) {
    pointer = growing = null;
    model.set("example", false);
    strokes = others;
    paint();
    send();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [clip((event.clientX - box.left) / box.width), clip((event.clientY - box.top) / box.height)];
  }

  function down(event) {
    if (!event.isPrimary || event.button !== 0 || typeof pointer === "number") return;
    end();
    try {
      canvas.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone already: its stroke is a dot
    }
    canvas.focus({ preventScroll: true });
    event.preventDefault();
    begin(event.pointerId, place(event));
  }

  function move(event) {
    if (event.pointerId !== pointer) return;
    const passed = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const each of passed.length ? passed : [event]) extend(place(each));
  }

  function up(event) {
    if (event.pointerId === pointer) end();
  }

  function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in ARROWS) {
      const far = STEP * (event.shiftKey ? 4 : 1);
      pen = pen.map((part, axis) => clip(part + far * ARROWS[event.key][axis]));
      if (pointer === "keys") extend(pen);
    } else if (event.key === " ") {
      if (pointer === "keys") end();
      else if (pointer === null && !event.repeat) begin("keys", pen);
    } else if (event.key === "Escape") {
      if (pointer !== "keys") return;
      end();
    } else if (event.key === "Backspace") {
      replace(model.get("example") ? [] : strokes.slice(0, -1));
    } else if (event.key === "Delete") {
      replace([]);
    } else {
      return; // Tab leaves, and what else is no key of ours
    }
    event.preventDefault();
    event.stopPropagation();
    paint();
    tell();
  }

  function blur() {
    if (pointer === "keys") end();
    paint();
  }

  function changed() {
    if (pointer !== null || timer) return; // what Python echoes is older than what the hand draws
    strokes = model.get("value");
    paint();
  }

  const listeners = {
    pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, keydown: key, blur, focus: paint,
  };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);
  model.on("change:value", changed);
  model.on("change:example", changed);
  paint();
  return () => {
    clearTimeout(timer);
    model.off("change:value", changed);
    model.off("change:example", changed);
  };
}

export default { render };
