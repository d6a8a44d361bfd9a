// A terminal's screen: text, colours and the basics of cursors. Everything else that a session printed does nothing:
// no title, no link, no clipboard, no answer. What it shows is text and classes, never markup.

/** @typedef {{ bold: boolean, dim: boolean, italic: boolean, under: boolean, inverse: boolean, fore: string, back: string }} Style */
/** @typedef {{ text: string, style: Style }} Cell */

const SIDE_MAX = 500;
const LINES_KEPT = 2_000;
const HELD_MAX = 4_096;

/** @returns {Style} */
const plain = () => ({ bold: false, dim: false, italic: false, under: false, inverse: false, fore: "", back: "" });

/** Whether a character takes two columns. @param {number} code */
function wide(code) {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
}

export class Screen {
  /** @param {number} columns @param {number} rows */
  constructor(columns, rows) {
    this.resize(columns, rows);
    this.reset();
  }

  reset() {
    /** @type {Cell[][]} lines, the scrolled ones first */
    this.lines = Array.from({ length: this.rows }, () => []);
    this.x = this.y = 0;
    this.top = 0;
    this.bottom = this.rows - 1;
    this.style = plain();
    this.saved = { x: 0, y: 0 };
    this.held = "";
    /** @type {Cell[][] | null} what stands behind the alternate screen */
    this.behind = null;
  }

  /** @param {number} columns @param {number} rows */
  resize(columns, rows) {
    this.columns = Math.min(SIDE_MAX, Math.max(1, columns | 0));
    this.rows = Math.min(SIDE_MAX, Math.max(1, rows | 0));
    if (!this.lines) return;
    while (this.lines.length < this.rows) this.lines.push([]);
    this.top = 0;
    this.bottom = this.rows - 1;
    this.x = Math.min(this.x, this.columns - 1);
    this.y = Math.min(this.y, this.rows - 1);
  }

  /** The line that the cursor is in. @param {number} [y] @returns {Cell[]} */
  line(y = this.y) {
    return this.lines[this.lines.length - this.rows + y];
  }

  /** @param {string} text */
  write(text) {
    const all = this.held + text;
    this.held = "";
    for (let at = 0; at < all.length; ) {
      const code = all.codePointAt(at) ?? 0;
      if (code === 0x1b || code === 0x9b) {
        const took = this.sequence(all, at);
        if (took === 0) {
          this.held = all.length - at > HELD_MAX ? "" : all.slice(at);
          return;
        }
        at += took;
        continue;
      }
      this.sign(code);
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** One character. @param {number} code */
  sign(code) {
    if (code === 0x0d) this.x = 0;
    else if (code === 0x0a || code === 0x0b || code === 0x0c) this.down();
    else if (code === 0x08) this.x = Math.max(0, Math.min(this.x, this.columns) - 1);
    else if (code === 0x09) this.x = Math.min(this.columns - 1, (Math.floor(this.x / 8) + 1) * 8);
    else if (code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0)) this.put(code);
  }

  /** @param {number} code */
  put(code) {
    const width = wide(code) ? 2 : 1;
    if (this.x + width > this.columns) {
      this.x = 0;
      this.down();
    }
    const line = this.line();
    while (line.length < this.x) line.push({ text: " ", style: plain() });
    const harmless = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]/.test(String.fromCodePoint(code)) ? "\ufffd" : String.fromCodePoint(code);
    line[this.x] = { text: harmless, style: { ...this.style } };
    if (width === 2) line[this.x + 1] = { text: "", style: { ...this.style } };
    this.x += width;
  }

  down() {
    if (this.y === this.bottom) this.scroll(1);
    else this.y = Math.min(this.rows - 1, this.y + 1);
  }

  /** @param {number} count lines up; negative: down */
  scroll(count) {
    const base = this.lines.length - this.rows;
    for (let step = 0; step < Math.min(Math.abs(count), this.rows); step += 1) {
      if (count < 0) {
        this.lines.splice(base + this.bottom, 1);
        this.lines.splice(base + this.top, 0, []);
      } else if (this.top === 0 && this.bottom === this.rows - 1 && !this.behind) {
        this.lines.push([]); // the first line goes into what can be scrolled back to
      } else {
        this.lines.splice(base + this.top, 1);
        this.lines.splice(base + this.bottom, 0, []);
      }
    }
    if (this.lines.length > LINES_KEPT + this.rows) this.lines.splice(0, this.lines.length - LINES_KEPT - this.rows);
  }

  /** A sequence at `at`: how long it is; 0 where it has not ended. @param {string} all @param {number} at */
  sequence(all, at) {
    const rest = all.slice(at, at + HELD_MAX);
    const control = /^(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~])/.exec(rest);
    if (control) {
      if (!control[2]) this.control(control[3], control[1]);
      return control[0].length;
    }
    if (/^(?:\x1b\[|\x9b)[0-?]*[ -/]*$/.test(rest)) return rest.length < HELD_MAX ? 0 : 1;
    if (/^(?:\x1b\[|\x9b)/.test(rest)) return 2; // broken: its beginning is left out
    if (/^\x1b[\]PX^_]/.test(rest)) {
      const text = /^\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]))/.exec(rest);
      return text ? text[0].length : rest.length < HELD_MAX ? 0 : rest.length;
    }
    const short = /^\x1b([ -/]*)([0-~])/.exec(rest);
    if (!short) return rest.length > 1 ? 1 : 0;
    if (!short[1]) this.short(short[2]);
    return short[0].length;
  }

  /** @param {string} name */
  short(name) {
    if (name === "7") this.saved = { x: this.x, y: this.y };
    else if (name === "8") ({ x: this.x, y: this.y } = this.saved);
    else if (name === "D") this.down();
    else if (name === "E") (this.x = 0), this.down();
    else if (name === "M") this.y === this.top ? this.scroll(-1) : (this.y = Math.max(0, this.y - 1));
    else if (name === "c") this.reset();
  }

  /** @param {string} name @param {string} given */
  control(name, given) {
    if (given.startsWith("?")) return this.mode(given.slice(1), name);
    if (/^[<=>]/.test(given)) return undefined;
    const numbers = given.split(/[;:]/).map((each) => Math.min(9_999, Number(each) || 0));
    const [first] = numbers;
    const count = first || 1;
    const moves = {
      A: () => (this.y = Math.max(0, this.y - count)),
      B: () => (this.y = Math.min(this.rows - 1, this.y + count)),
      C: () => (this.x = Math.min(this.columns - 1, this.x + count)),
      D: () => (this.x = Math.max(0, this.x - count)),
      E: () => ((this.x = 0), (this.y = Math.min(this.rows - 1, this.y + count))),
      F: () => ((this.x = 0), (this.y = Math.max(0, this.y - count))),
      G: () => (this.x = Math.min(this.columns, count) - 1),
      d: () => (this.y = Math.min(this.rows, count) - 1),
      H: () => this.move(numbers),
      f: () => this.move(numbers),
      J: () => this.erase(first),
      K: () => this.eraseLine(first),
      L: () => this.shift(-count),
      M: () => this.shift(count),
      P: () => this.line().splice(this.x, count),
      "@": () => this.line().splice(this.x, 0, ...Array.from({ length: Math.min(count, this.columns) }, () => ({ text: " ", style: plain() }))),
      X: () => this.blank(this.x, this.x + count),
      S: () => this.scroll(count),
      T: () => this.scroll(-count),
      m: () => this.colour(numbers),
      r: () => this.region(numbers),
      s: () => (this.saved = { x: this.x, y: this.y }),
      u: () => ({ x: this.x, y: this.y } = this.saved),
    };
    const move = /** @type {Record<string, () => unknown>} */ (moves);
    if (Object.hasOwn(move, name)) move[name]();
    return undefined;
  }

  /** @param {number[]} numbers */
  move(numbers) {
    this.y = Math.min(this.rows, numbers[0] || 1) - 1;
    this.x = Math.min(this.columns, numbers[1] || 1) - 1;
  }

  /** @param {number[]} numbers */
  region(numbers) {
    const top = (numbers[0] || 1) - 1;
    const bottom = Math.min(this.rows, numbers[1] || this.rows) - 1;
    if (top < bottom) [this.top, this.bottom, this.x, this.y] = [top, bottom, 0, 0];
  }

  /** The alternate screen is one that leaves nothing behind. @param {string} which @param {string} name */
  mode(which, name) {
    if (!/^(47|1047|1049)$/.test(which) || (name !== "h" && name !== "l")) return;
    if (name === "h" && !this.behind) {
      this.behind = this.lines;
      this.lines = Array.from({ length: this.rows }, () => []);
      this.saved = { x: this.x, y: this.y };
    } else if (name === "l" && this.behind) {
      this.lines = this.behind;
      this.behind = null;
      while (this.lines.length < this.rows) this.lines.push([]);
      ({ x: this.x, y: this.y } = this.saved);
    }
  }

  /** @param {number} which */
  erase(which) {
    const base = this.lines.length - this.rows;
    this.eraseLine(which);
    for (let y = 0; y < this.rows; y += 1) {
      if (which >= 2 || (which === 0 ? y > this.y : y < this.y)) this.lines[base + y] = [];
    }
  }

  /** @param {number} which */
  eraseLine(which) {
    const line = this.line();
    if (which === 0) line.length = Math.min(line.length, this.x);
    else if (which === 1) this.blank(0, this.x + 1);
    else line.length = 0;
  }

  /** @param {number} from @param {number} to */
  blank(from, to) {
    const line = this.line();
    for (let x = from; x < Math.min(to, this.columns, line.length); x += 1) line[x] = { text: " ", style: plain() };
  }

  /** Lines from the cursor on: out (positive) or in. @param {number} count */
  shift(count) {
    const base = this.lines.length - this.rows;
    for (let step = 0; step < Math.min(Math.abs(count), this.rows); step += 1) {
      this.lines.splice(base + (count > 0 ? this.y : this.bottom), 1);
      this.lines.splice(base + (count > 0 ? this.bottom : this.y), 0, []);
    }
  }

  /** @param {number[]} numbers */
  colour(numbers) {
    for (let at = 0; at < numbers.length; at += 1) {
      const code = numbers[at];
      const style = this.style;
      if (code === 0) this.style = plain();
      else if (code === 1) style.bold = true;
      else if (code === 2) style.dim = true;
      else if (code === 3) style.italic = true;
      else if (code === 4) style.under = true;
      else if (code === 7) style.inverse = true;
      else if (code === 22) style.bold = style.dim = false;
      else if (code === 23) style.italic = false;
      else if (code === 24) style.under = false;
      else if (code === 27) style.inverse = false;
      else if (code >= 30 && code <= 37) style.fore = `c${code - 30}`;
      else if (code >= 90 && code <= 97) style.fore = `c${code - 90}`;
      else if (code >= 40 && code <= 47) style.back = `g${code - 40}`;
      else if (code >= 100 && code <= 107) style.back = `g${code - 100}`;
      else if (code === 39) style.fore = "";
      else if (code === 49) style.back = "";
      else if (code === 38 || code === 48) {
        const named = numbers[at + 1] === 5 && numbers[at + 2] < 16 ? numbers[at + 2] % 8 : -1;
        if (named >= 0) code === 38 ? (style.fore = `c${named}`) : (style.back = `g${named}`);
        at += numbers[at + 1] === 5 ? 2 : numbers[at + 1] === 2 ? 4 : 0; // other colours are not shown
      }
    }
  }

  /** Runs of one look, line by line. @returns {{ text: string, look: string }[][]} */
  runs() {
    return this.lines.map((line) => {
      /** @type {{ text: string, look: string }[]} */
      const found = [];
      for (const cell of Array.from(line, (each) => each ?? { text: " ", style: plain() })) {
        const look = looks(cell.style);
        const last = found[found.length - 1];
        if (last && last.look === look) last.text += cell.text;
        else found.push({ text: cell.text, look });
      }
      return found;
    });
  }

  /** Without looks. @returns {string} */
  text() {
    return this.runs().map((line) => line.map((run) => run.text).join("").trimEnd()).join("\n").trimEnd();
  }
}

/** The classes of a style. @param {Style} style */
function looks(style) {
  const names = [style.fore, style.back, style.bold && "b", style.dim && "d", style.italic && "i", style.under && "u", style.inverse && "inverse"];
  return names.filter(Boolean).join(" ");
}
