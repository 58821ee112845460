// SPDX-License-Identifier: Apache-2.0
// What run.c does, in node: node FLAGS run.cjs [MODULE PLAN]...; behind what is
// seen of each stands a line of its own: "end", or why it was not run.
const fs = require("fs");
let out = [];
const f32 = new Float32Array(1), u32 = new Uint32Array(f32.buffer);
const f64 = new Float64Array(1), u64 = new BigUint64Array(f64.buffer);

function value(type, v) {
	if (type === "i") return String(v | 0);
	if (type === "I") return String(BigInt.asIntN(64, v));
	if (type === "r") return v === null ? "null" : "ref";
	if (v !== v) return "nan";
	if (type === "f") {
		f32[0] = v;
		return u32[0].toString(16).padStart(8, "0");
	}
	f64[0] = v;
	return u64[0].toString(16).padStart(16, "0");
}

const log = (type) => (v) => { out.push("log " + value(type, v)); };
// A vector can't reach JavaScript: a module that takes one and does nothing.
const sink = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
	0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x7b, 0, 3, 2, 1, 0,
	7, 5, 1, 1, 102, 0, 0, 10, 4, 1, 2, 0, 11]))).exports.f;
const imports = { "fuzzing-support": { "log-i32": log("i"), "log-i64": log("I"),
	"log-f32": log("f"), "log-f64": log("F"),
	"log-v128": sink } };

function ended(e) {
	if (e instanceof WebAssembly.Exception) return " exception";
	if (e instanceof WebAssembly.RuntimeError || e instanceof RangeError)
		return " trap";
	throw e;
}

function call(f, sig) {
	const [params, results] = sig.split(":");
	const args = [...params].map((t) => t === "I" ? 0n : t === "r" ? null : 0);
	try {
		const r = f(...args);
		const list = results.length === 1 ? [r] : results.length ? r : [];
		return [...results].map((t, k) => " " + value(t, list[k])).join("");
	} catch (e) {
		return ended(e);
	}
}

function hash(bytes) {
	let h = 2166136261;
	for (const b of bytes) h = Math.imul(h ^ b, 16777619);
	return (h >>> 0).toString(16).padStart(8, "0");
}

function run(file, planFile) {
	const plan = fs.readFileSync(planFile, "utf8").trim().split("\n");
	const compiled = new WebAssembly.Module(fs.readFileSync(file));
	let found = null;
	try {
		found = new WebAssembly.Instance(compiled, imports).exports;
	} catch (e) {
		out.push("start" + ended(e));
	}
	if (!found) return;
	for (const line of plan) {
		const [name, sig] = line.split(" ");
		if (sig && !sig.includes("V"))
			out.push(name + call(found[name], sig));
	}
	if (found.memory) {
		const bytes = new Uint8Array(found.memory.buffer);
		out.push(`memory ${bytes.length} ${hash(bytes)}`);
	}
}

for (let k = 2; k + 1 < process.argv.length; k += 2) {
	out = [];
	let how = "end";
	try {
		run(process.argv[k], process.argv[k + 1]);
	} catch (e) {
		how = "refused " + String(e).split("\n")[0];
	}
	console.log(out.concat([how]).join("\n"));
}
