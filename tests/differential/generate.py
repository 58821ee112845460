# SPDX-License-Identifier: Apache-2.0
"""Modules with what binaryen's fuzzer does not make: vectors of every kind,
several memories and 64-bit ones, bulk operations, tables, exceptions of both
encodings, tail calls, typed references, structs and arrays.

generate(rng, features) gives the bytes of a module and its features; each
export runs with a budget of calls and turns, so that every one ends."""

I32, I64, F32, F64, V128 = 0x7f, 0x7e, 0x7d, 0x7c, 0x7b
FUNCREF, ANYREF = 0x70, 0x6e
NUMBERS = [I32, I64, F32, F64, V128]
STRUCT, BYTES, WORDS, REFS = "struct", "bytes", "words", "refs"
ALL = ("simd", "memories", "memory64", "bulk", "tables", "catch", "try_table",
       "tail", "gc", "typed")
# What node 20 takes.
NODE = ("simd", "bulk", "tables", "catch", "tail", "memory64", "typed")

INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256,
               0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
               0xfffffffe, 0xffffffff]
WIDE = INTERESTING + [1 << 32, (1 << 32) + 1, (1 << 63) - 1, 1 << 63,
                      (1 << 64) - 1, 0x0102030405060708]


def leb(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def sleb(n):
    out = bytearray()
    while not -64 <= n < 64:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n & 0x7f)
    return bytes(out)


def signed(n, bits):
    return n - (1 << bits) if n >> (bits - 1) else n


def vec(items):
    return leb(len(items)) + b"".join(items)


def section(number, content):
    return bytes([number]) + leb(len(content)) + content if content else b""


def simd(op):
    return b"\xfd" + leb(op)


# Vector instructions by shape.
V_UNARY = [77, 96, 97, 98, *range(124, 130), *range(135, 139), 160, 161,
           *range(167, 171), 192, 193, *range(199, 203), *range(248, 256)]
V_UNARY_F32 = [103, 104, 105, 106, 224, 225, 227, 94]
V_UNARY_F64 = [116, 117, 122, 148, 236, 237, 239, 95]
V_BINARY = [14, *range(35, 77), 78, 79, 80, 81, 101, 102, 110, 111, 112, 113,
            114, 115, 118, 119, 120, 121, 123, 130, 133, 134, *range(142, 148),
            149, *range(150, 154), 155, *range(156, 160), 174, 177, 181,
            *range(182, 187), *range(188, 192), 206, 209, 213,
            *range(214, 224)]
V_BINARY_F32, V_BINARY_F64 = [*range(228, 236)], [*range(240, 248)]
V_SHIFT = [107, 108, 109, 139, 140, 141, 171, 172, 173, 203, 204, 205]
V_TEST = [83, 99, 131, 163, 195, 100, 132, 164, 196]
V_SPLAT = {I32: [15, 16, 17], I64: [18], F32: [19], F64: [20]}
V_EXTRACT = {I32: [(21, 16), (22, 16), (24, 8), (25, 8), (27, 4)],
             I64: [(29, 2)], F32: [(31, 4)], F64: [(33, 2)]}
V_REPLACE = [(23, 16, I32), (26, 8, I32), (28, 4, I32), (30, 2, I64),
             (32, 4, F32), (34, 2, F64)]
V_LOAD = list(range(0, 11)) + [92, 93]
V_LANE = [(84, 16), (85, 8), (86, 4), (87, 2)]

BINARY = {I32: [*range(0x6a, 0x79)], I64: [*range(0x7c, 0x8b)],
          F32: [*range(0x92, 0x99)], F64: [*range(0xa0, 0xa7)]}
UNARY = {I32: [0x67, 0x68, 0x69, 0xc0, 0xc1], I64: [0x79, 0x7a, 0x7b, 0xc2,
                                                    0xc3, 0xc4],
         F32: [*range(0x8b, 0x92)], F64: [*range(0x99, 0xa0)]}
COMPARE = {I32: [*range(0x46, 0x50)], I64: [*range(0x51, 0x5b)],
           F32: [*range(0x5b, 0x61)], F64: [*range(0x61, 0x67)]}
LOADS = {I32: [0x28, *range(0x2c, 0x30)], I64: [0x29, *range(0x30, 0x36)],
         F32: [0x2a], F64: [0x2b]}
STORES = {I32: [0x36, 0x3a, 0x3b], I64: [0x37, 0x3c, 0x3d, 0x3e], F32: [0x38],
          F64: [0x39]}
# to -> (instruction, from); those that trap are rare.
CONVERT = {
    I32: [(b"\xa7", I64), (b"\xbc", F32)] + [
        (b"\xfc" + bytes([k]), F32 if k < 2 else F64) for k in range(4)] + [
        (bytes([k]), F32 if k < 0xaa else F64) for k in range(0xa8, 0xac)],
    I64: [(b"\xac", I32), (b"\xad", I32), (b"\xbd", F64)] + [
        (b"\xfc" + bytes([k]), F32 if k < 6 else F64) for k in range(4, 8)] + [
        (bytes([k]), F32 if k < 0xb0 else F64) for k in range(0xae, 0xb2)],
    F32: [(b"\xb2", I32), (b"\xb3", I32), (b"\xb4", I64), (b"\xb5", I64),
          (b"\xb6", F64), (b"\xbe", I32)],
    F64: [(b"\xb7", I32), (b"\xb8", I32), (b"\xb9", I64), (b"\xba", I64),
          (b"\xbb", F32), (b"\xbf", I64)]}

# Indices of types: kinds of objects first, where there are any.
OBJECTS = [STRUCT, BYTES, WORDS, REFS]
PAGE = 65536


class Module:
    def __init__(self, rng, features):
        self.r, self.has = rng, set(features)
        self.types, self.known = [], {}
        if "gc" in self.has:
            self.types = [
                b"\x50\x00\x5f\x04\x7f\x01\x7e\x01\x78\x01\x63\x00\x01",
                b"\x5e\x78\x01", b"\x5e\x7e\x01", b"\x5e\x6e\x01"]
        self.memories = [False]
        if "memories" in self.has:
            self.memories += [False] * rng.randint(1, 2)
        if "memory64" in self.has:
            self.memories = [rng.random() < 0.5 for _ in self.memories]
        self.pages = [rng.choice([0] + [1] * 10 + [2] * 4)
                      for _ in self.memories]
        self.tables = rng.randint(1, 2)
        self.elements = []  # functions at the beginning of table 0, from 1 on
        self.table_size = 10
        self.globals = [rng.choice(self.numbers()) for _ in range(5)]
        self.tags = [[], [I32], [I64, F64]][:rng.randint(1, 3)]
        self.datas = [rng.randbytes(rng.choice([0, 5, 40])) for _ in range(2)]
        self.signatures = [([], [I32])] + [
            self.signature() for _ in range(rng.randint(3, 7))]

    def signature(self):
        """Vectors in one of four: those can't be called from outside."""
        r = self.r
        kinds = self.numbers() if r.random() < 0.25 else NUMBERS[:4]
        return (r.choices(kinds, k=r.choice([0, 1, 2, 3, 4, 4, 10])),
                r.choices(kinds, k=r.choice([0, 1, 1, 1, 1, 2, 3])))

    def numbers(self):
        return NUMBERS if "simd" in self.has else NUMBERS[:4]

    def type(self, params, results):
        key = (tuple(params), tuple(results))
        if key not in self.known:
            self.known[key] = len(self.types)
            self.types.append(b"\x60" + vec([self.code(t) for t in params]) +
                              vec([self.code(t) for t in results]))
        return self.known[key]

    def code(self, t):
        """A type as bytes."""
        if t in OBJECTS:
            return b"\x63" + leb(OBJECTS.index(t))
        return t if isinstance(t, bytes) else bytes([t])

    def make(self):
        self.elements = [self.r.randrange(len(self.signatures))
                         for _ in range(8)]
        body = [Function(self, n, *s).make()
                for n, s in enumerate(self.signatures)]
        exports, wrappers = [], []
        for n, (params, results) in enumerate(self.signatures):
            w = self.budget(200) + b"".join(
                b"\x20" + leb(k) for k in range(len(params)))
            wrappers.append(b"\x00" + w + b"\x10" + leb(n) + b"\x0b")
            name = f"f{n}".encode()
            exports.append(leb(len(name)) + name + b"\x00" +
                           leb(len(body) + n))
        exports.append(b"\x06memory\x02\x00")
        kinds = [leb(self.type(*s)) for s in self.signatures] * 2
        tags = [b"\x00" + leb(self.type(t, [])) for t in self.tags]
        memories = [bytes([5 if wide else 1]) + leb(pages) + leb(pages + 2)
                    for wide, pages in zip(self.memories, self.pages)]
        tables = [b"\x70\x01" + leb(self.table_size) +
                  leb(self.table_size + 5)] * self.tables
        values = [b"\x7f\x01\x41\x00\x0b"] + [
            bytes([t]) + b"\x01" + self.constant(t) + b"\x0b"
            for t in self.globals]
        funcs = [leb(n) for n in self.elements]
        elems = [b"\x00\x41\x01\x0b" + vec(funcs), b"\x01\x00" + vec(funcs),
                 b"\x03\x00" + vec([leb(n) for n in range(len(body))])]
        datas = []
        for k, d in enumerate(self.datas):
            datas.append((b"\x01" if k or self.pages[0] == 0 else
                          b"\x00" + (b"\x42" if self.memories[0] else b"\x41")
                          + b"\x08\x0b") + leb(len(d)) + d)
        codes = [leb(len(c)) + c for c in body + wrappers]
        return b"".join([
            b"\0asm\1\0\0\0", section(1, vec(self.types)),
            section(3, vec(kinds)), section(4, vec(tables)),
            section(5, vec(memories)), section(13, vec(tags)),
            section(6, vec(values)), section(7, vec(exports)),
            section(9, vec(elems)), section(12, leb(len(datas))),
            section(10, vec(codes)), section(11, vec(datas))])

    def budget(self, n):
        return b"\x41" + sleb(n) + b"\x24\x00"

    def constant(self, t):
        r = self.r
        if t == I32:
            return b"\x41" + sleb(signed(r.choice(INTERESTING), 32))
        if t == I64:
            return b"\x42" + sleb(signed(r.choice(WIDE), 64))
        if t == F32:
            return b"\x43" + r.choice([
                bytes(4), b"\0\0\x80\x3f", b"\0\0\0\x80", b"\0\0\x80\x7f",
                b"\1\0\0\0", b"\0\0\0\x4f", b"\xff\xff\x7f\x7f",
                b"\0\0\x20\xc1"])
        if t == F64:
            return b"\x44" + r.choice([
                bytes(8), b"\0\0\0\0\0\0\xf0\x3f", b"\0\0\0\0\0\0\0\x80",
                b"\0\0\0\0\0\0\xf0\xff", b"\1\0\0\0\0\0\0\0",
                b"\0\0\0\0\0\0\xe0\x41", b"\0\0\0\0\0\0\xe0\xc3",
                b"\0\0\0\0\0\0\x24\xc0"])
        return simd(12) + r.choice([bytes(16), r.randbytes(16),
                                    bytes(range(16)), b"\xff" * 16])


class Function:
    """One body.  A label is the types that a branch to it takes."""

    def __init__(self, m, number, params, results):
        self.m, self.r, self.number = m, m.r, number
        self.params, self.results = params, results
        self.locals = list(params)
        for t in m.numbers():
            self.locals += [t, t]
        if "gc" in m.has:
            self.locals += OBJECTS + [ANYREF]
        self.locals.append(FUNCREF)
        self.counters = []
        self.labels = [results]
        self.room = m.r.choice([30, 100, 300])

    def make(self):
        code = self.pay() + self.objects() + self.statements(3)
        for t in self.results:
            code += self.value(t, 3)
        if "tail" in self.m.has and self.r.random() < 0.3:
            code = self.pay() + self.statements(2) + self.tail_call()
        extra = self.locals[len(self.params):] + [I32] * len(self.counters)
        return vec([b"\x01" + self.m.code(t) for t in extra]) + code + b"\x0b"

    def objects(self):
        """Most variables for objects have one from the start."""
        code = b""
        for t in OBJECTS if "gc" in self.m.has else []:
            if self.r.random() < 0.9:
                code += self.new(t, 0) + b"\x21" + self.local(t)
        return code

    def pay(self):
        """Back to the caller at once when the budget is used up."""
        results = b"".join(self.m.constant(t) for t in self.results)
        return (b"\x23\x00\x45\x04\x40" + results + b"\x0f\x0b"
                b"\x23\x00\x41\x01\x6b\x24\x00")

    def some(self, *choices):
        """One of these that can be, each (weight, feature or None, how)."""
        can = [(w, how) for w, need, how in choices
               if not need or need in self.m.has]
        return self.r.choices([h for _, h in can], [w for w, _ in can])[0]()

    def local(self, t):
        return leb(self.r.choice([k for k, x in enumerate(self.locals)
                                  if x == t]))

    def counter(self):
        self.counters.append(None)
        return leb(len(self.locals) + len(self.counters) - 1)

    # --- values -------------------------------------------------------------

    def value(self, t, depth):
        self.room -= 1
        if t in OBJECTS or t in (ANYREF, FUNCREF):
            return self.reference(t, depth)
        if depth <= 0 or self.room < 0:
            return self.some((2, None, lambda: b"\x20" + self.local(t)),
                             (1, None, lambda: self.m.constant(t)))
        d = depth - 1
        choices = [
            (3, None, lambda: b"\x20" + self.local(t)),
            (2, None, lambda: self.m.constant(t)),
            (2, None, lambda: self.global_get(t)),
            (2, None, lambda: self.choice(t, d)),
            (1, None, lambda: self.value(t, d) + b"\x22" + self.local(t)),
            (1, None, lambda: self.block(t, d)),
            (2, None, lambda: self.call(t, d)),
            (1, "catch", lambda: self.catch(t, d)),
            (1, "try_table", lambda: self.try_table(t, d)),
            (3, None, lambda: self.load(t, d))]
        if t == V128:
            choices += [(8, None, lambda: self.vector(d))]
        else:
            choices += [
                (5, None, lambda: self.binary(t, d)),
                (2, None, lambda: self.unary(t, d)),
                (2, None, lambda: self.convert(t, d)),
                (2, "simd", lambda: self.extract(t, d))]
        if t == I32:
            choices += [
                (4, None, lambda: self.compare(d)),
                (1, None, lambda: self.value(I32, d) + b"\x45"),
                (1, None, lambda: self.size()),
                (2, "simd", lambda: self.value(V128, d) +
                 simd(self.r.choice(V_TEST))),
                (1, "tables", lambda: self.table_value(d)),
                (3, "gc", lambda: self.object_number(d))]
        if t == I64:
            choices += [(2, "gc", lambda: self.array_get(WORDS, 11, d)),
                        (1, "gc", lambda: self.struct_get(1, 2, d))]
        return self.some(*choices)

    def tame(self, t, code):
        """Without NaNs, whose bits are nobody's business."""
        if t == V128:
            one = self.local(V128)
            f = self.r.choice([65, 71])
            return code + b"\x22" + one + b"\x20" + one + b"\x20" + one + \
                simd(f) + simd(78)
        one = self.local(t)
        zero = b"\x43" + bytes(4) if t == F32 else b"\x44" + bytes(8)
        return (code + b"\x22" + one + zero + b"\x20" + one + b"\x20" + one +
                (b"\x5b" if t == F32 else b"\x61") + b"\x1b")

    def binary(self, t, d):
        op = self.r.choice(BINARY[t])
        code = self.value(t, d) + self.value(t, d)
        # Division by what is often zero ends too much.
        if t in (I32, I64) and BINARY[t][0] + 3 <= op <= BINARY[t][0] + 6 and \
                self.r.random() < 0.8:
            code += b"\x41\x07\x72" if t == I32 else b"\x42\x07\x84"
        code += bytes([op])
        return self.tame(t, code) if t in (F32, F64) else code

    def unary(self, t, d):
        code = self.value(t, d) + bytes([self.r.choice(UNARY[t])])
        return self.tame(t, code) if t in (F32, F64) else code

    def convert(self, t, d):
        op, source = self.r.choice(CONVERT[t])
        # Those that don't saturate mostly trap.
        while op[0] in (*range(0xa8, 0xac), *range(0xae, 0xb2)) and \
                self.r.random() < 0.9:
            op, source = self.r.choice(CONVERT[t])
        code = self.value(source, d) + op
        return self.tame(t, code) if t in (F32, F64) else code

    def compare(self, d):
        t = self.r.choice([I32, I32, I64, F32, F64])
        return self.value(t, d) + self.value(t, d) + \
            bytes([self.r.choice(COMPARE[t])])

    def global_get(self, t):
        own = [k for k, x in enumerate(self.m.globals) if x == t]
        if not own:
            return self.m.constant(t)
        return b"\x23" + leb(self.r.choice(own) + 1)

    def choice(self, t, d):
        a, b, c = self.value(t, d), self.value(t, d), self.value(I32, d)
        if self.r.random() < 0.5:
            return a + b + c + (b"\x1b" if t != V128 else b"\x1c\x01\x7b")
        self.labels.insert(0, [t])
        a, b = self.value(t, d), self.statements(d) + self.value(t, d)
        self.labels.pop(0)
        return c + b"\x04" + bytes([t]) + a + b"\x05" + b + b"\x0b"

    def block(self, t, d):
        self.labels.insert(0, [t])
        code = self.statements(d)
        code += self.value(t, d) + self.value(I32, d) + b"\x0d\x00"
        self.labels.pop(0)
        return b"\x02" + bytes([t]) + code + b"\x0b"

    def vector(self, d):
        r = self.r
        v = lambda: self.value(V128, d)
        return self.some(
            (4, None, lambda: v() + simd(r.choice(V_UNARY))),
            (1, None, lambda: self.tame(
                V128, v() + simd(r.choice(V_UNARY_F32 + V_UNARY_F64)))),
            (8, None, lambda: v() + v() + simd(r.choice(V_BINARY))),
            (2, None, lambda: self.tame(
                V128, v() + v() + simd(r.choice(V_BINARY_F32 +
                                                V_BINARY_F64)))),
            (1, None, lambda: v() + v() + v() + simd(82)),
            (2, None, lambda: v() + self.value(I32, d) +
             simd(r.choice(V_SHIFT))),
            (1, None, lambda: v() + v() + simd(13) +
             bytes(r.choices(range(32), k=16))),
            (2, None, lambda: self.splat(d)),
            (2, None, lambda: self.replace(d)),
            (1, None, lambda: self.lane_load(d)))

    def splat(self, d):
        t = self.r.choice(list(V_SPLAT))
        return self.value(t, d) + simd(self.r.choice(V_SPLAT[t]))

    def extract(self, t, d):
        op, lanes = self.r.choice(V_EXTRACT[t])
        code = self.value(V128, d) + simd(op) + leb(self.r.randrange(lanes))
        return self.tame(t, code) if t in (F32, F64) else code

    def replace(self, d):
        op, lanes, t = self.r.choice(V_REPLACE)
        return self.value(V128, d) + self.value(t, d) + simd(op) + \
            leb(self.r.randrange(lanes))

    # --- memory --------------------------------------------------------------

    def address(self, memory, d):
        """Mostly within memory."""
        t = I64 if self.m.memories[memory] else I32
        code = self.value(t, d)
        if self.r.random() < 0.97:
            mask = self.r.choice([0xff, 0xfff, 0x1fff, 0x3fe0])
            code += (b"\x42" + sleb(mask) + b"\x83" if t == I64 else
                     b"\x41" + sleb(mask) + b"\x71")
        if self.r.random() < 0.1:
            code += b"\x42\x02\x86" if t == I64 else b"\x41\x02\x74"
        return code

    def memarg(self, memory):
        offset = self.r.choice([65528, 65535, 0x10000, 0x7fffffff, 0xffffffff]
                               if self.r.random() < .03 else
                               [0, 0, 1, 4, 8, 16, 60, 64, 1000])
        return (leb(0x40) + leb(memory) if memory else b"\x00") + leb(offset)

    def memory(self):
        return self.r.randrange(len(self.m.memories))

    def load(self, t, d):
        m = self.memory()
        if t == V128:
            op = simd(self.r.choice(V_LOAD))
        else:
            op = bytes([self.r.choice(LOADS[t])])
        code = self.address(m, d) + op + self.memarg(m)
        return self.tame(t, code) if t in (F32, F64) else code

    def lane_load(self, d):
        m, (op, lanes) = self.memory(), self.r.choice(V_LANE)
        return self.address(m, d) + self.value(V128, d) + simd(op) + \
            self.memarg(m) + leb(self.r.randrange(lanes))

    def store(self, d):
        m, t = self.memory(), self.r.choice(self.m.numbers())
        code = self.address(m, d) + self.value(t, d)
        if t != V128:
            return code + bytes([self.r.choice(STORES[t])]) + self.memarg(m)
        if self.r.random() < 0.5:
            return code + simd(11) + self.memarg(m)
        op, lanes = self.r.choice(V_LANE)
        return code + simd(op + 4) + self.memarg(m) + \
            leb(self.r.randrange(lanes))

    def size(self):
        m = self.memory()
        code = b"\x3f" + leb(m)
        if self.r.random() < 0.1:
            wide = self.m.memories[m]
            code = (b"\x42\x01" if wide else b"\x41\x01") + b"\x40" + leb(m)
        return code + (b"\xa7" if self.m.memories[m] else b"")

    def small(self, wide, d):
        most = self.r.choice([0, 1, 15, 16, 64, 255, 255, 0xffff])
        code = self.value(I64 if wide else I32, d)
        return code + (b"\x42" + sleb(most) + b"\x83" if wide else
                       b"\x41" + sleb(most) + b"\x71")

    def bulk(self, d):
        m, o = self.memory(), self.memory()
        a, b = self.m.memories[m], self.m.memories[o]
        data = self.r.randrange(len(self.m.datas))
        return self.some(
            (3, None, lambda: self.address(m, d) + self.address(o, d) +
             self.small(a and b, d) + b"\xfc\x0a" + leb(m) + leb(o)),
            (3, None, lambda: self.address(m, d) + self.value(I32, d) +
             self.small(a, d) + b"\xfc\x0b" + leb(m)),
            (1, None, lambda: self.address(m, d) + b"\x41\x00" +
             self.value(I32, d) + b"\x41\x03\x71\xfc\x08" + leb(data) +
             leb(m)),
            (.05, None, lambda: b"\xfc\x09" + leb(data)))

    # --- tables --------------------------------------------------------------

    def table(self):
        return leb(self.r.randrange(self.m.tables))

    def index(self, d):
        code = self.value(I32, d)
        return code + b"\x41\x07\x71" if self.r.random() < 0.98 else code

    def table_value(self, d):
        return self.some(
            (1, None, lambda: b"\xfc\x10" + self.table()),
            (2, None, lambda: self.index(d) + b"\x25" + self.table() +
             b"\xd1"),
            (.5, None, lambda: self.reference(FUNCREF, d) + b"\x41\x01" +
             b"\xfc\x0f" + self.table()))

    def table_change(self, d):
        return self.some(
            (1, None, lambda: self.index(d) + self.reference(FUNCREF, d) +
             b"\x26" + self.table()),
            (1, None, lambda: self.index(d) + self.index(d) + self.index(d) +
             b"\xfc\x0e" + self.table() + self.table()),
            (1, None, lambda: self.index(d) + self.index(d) + self.index(d) +
             b"\xfc\x0c\x01" + self.table()),
            (1, None, lambda: self.index(d) + self.reference(FUNCREF, d) +
             self.index(d) + b"\xfc\x11" + self.table()),
            (.2, None, lambda: b"\xfc\x0d\x01"))

    # --- references ------------------------------------------------------------

    def function(self):
        return self.r.randrange(len(self.m.signatures))

    def reference(self, t, d):
        if t == FUNCREF:
            return self.some(
                (3, None, lambda: b"\xd2" + leb(self.function())),
                (1, None, lambda: b"\xd0\x70"),
                (1, None, lambda: b"\x20" + self.local(FUNCREF)),
                (1, "tables", lambda: self.index(0) + b"\x25" + self.table()))
        if d <= 0 or self.room < 0:
            return self.some((3, None, lambda: b"\x20" + self.local(t)),
                             (1, None, lambda: self.new(t, 0)))
        return self.some((2, None, lambda: b"\x20" + self.local(t)),
                         (3, None, lambda: self.new(t, d - 1)),
                         (.1, None, lambda: b"\xd0" + self.heap(t)),
                         (1, None, lambda: self.cast(t, d - 1)))

    def heap(self, t):
        return leb(OBJECTS.index(t)) if t in OBJECTS else b"\x6e"

    def new(self, t, d):
        small = lambda: self.value(I32, d) + b"\x41\x0f\x71\x41\x08\x72"
        if t == STRUCT:
            return self.some(
                (2, None, lambda: self.value(I32, d) + self.value(I64, d) +
                 self.value(I32, d) + self.reference(STRUCT, d) +
                 b"\xfb\x00\x00"),
                (1, None, lambda: b"\xfb\x01\x00"))
        if t == BYTES:
            return self.some(
                (2, None, lambda: self.value(I32, d) + small() +
                 b"\xfb\x06\x01"),
                (1, None, lambda: small() + b"\xfb\x07\x01"),
                (1, None, lambda: b"".join(
                    self.value(I32, d) for _ in range(8)) +
                 b"\xfb\x08\x01\x08"),
                (.1, None, lambda: b"\x41\x00\x41\x05\xfb\x09\x01\x01"))
        if t == WORDS:
            return self.some(
                (1, None, lambda: self.value(I64, d) + small() +
                 b"\xfb\x06\x02"),
                (1, None, lambda: small() + b"\xfb\x07\x02"))
        if t == REFS:
            return self.some(
                (1, None, lambda: self.reference(ANYREF, d) + small() +
                 b"\xfb\x06\x03"),
                (1, None, lambda: small() + b"\xfb\x07\x03"))
        return self.some(
            (1, None, lambda: self.value(I32, d) + b"\xfb\x1c"),
            (1, None, lambda: self.reference(self.r.choice(OBJECTS), d)))

    def cast(self, t, d):
        if t == ANYREF:
            return self.reference(REFS, d) + self.index(d) + b"\xfb\x0b\x03"
        # Mostly what it is already.
        if self.r.random() < 0.95:
            return self.reference(t, d) + b"\xfb\x17" + self.heap(t)
        return self.reference(ANYREF, d) + b"\xfb\x17" + self.heap(t)

    def struct_get(self, field, op, d):
        return self.reference(STRUCT, d) + b"\xfb" + leb(op) + b"\x00" + \
            leb(field)

    def array_get(self, t, op, d):
        return self.reference(t, d) + self.index(d) + b"\xfb" + leb(op) + \
            self.heap(t)

    def object_number(self, d):
        r = self.r
        return self.some(
            (2, None, lambda: self.struct_get(0, 2, d)),
            (1, None, lambda: self.struct_get(2, r.choice([3, 4]), d)),
            (2, None, lambda: self.array_get(BYTES, r.choice([12, 13]), d)),
            (1, None, lambda: self.reference(
                r.choice(OBJECTS[1:]), d) + b"\xfb\x0f"),
            (1, None, lambda: self.reference(ANYREF, d) + b"\xfb" +
             r.choice([b"\x14", b"\x15"]) +
             r.choice([b"\x00", b"\x01", b"\x6c", b"\x6b", b"\x6a"])),
            (1, None, lambda: self.reference(STRUCT, d) +
             self.reference(STRUCT, d) + b"\xd3"),
            (1, None, lambda: self.reference(ANYREF, d) + b"\xd1"))

    def object_change(self, d):
        t = self.r.choice(OBJECTS[1:])
        item = {BYTES: I32, WORDS: I64, REFS: ANYREF}[t]
        k = self.r.choice([0, 1, 3])
        return self.some(
            (2, None, lambda: self.reference(STRUCT, d) +
             self.value([I32, I64, I32, STRUCT][k], d) + b"\xfb\x05\x00" +
             leb(k)),
            (2, None, lambda: self.reference(t, d) + self.index(d) +
             self.value(item, d) + b"\xfb\x0e" + self.heap(t)),
            (1, None, lambda: self.reference(t, d) + self.index(d) +
             self.value(item, d) + self.index(d) + b"\xfb\x10" +
             self.heap(t)),
            (1, None, lambda: self.reference(t, d) + self.index(d) +
             self.reference(t, d) + self.index(d) + self.index(d) +
             b"\xfb\x11" + self.heap(t) + self.heap(t)),
            (1, None, lambda: b"\xfb\x01\x00\x21" + self.local(STRUCT)),
            (1, None, lambda: b"\x41\x08\xfb\x07" + self.heap(t) + b"\x21" +
             self.local(t)))

    # --- calls -----------------------------------------------------------------

    def arguments(self, n, d):
        return b"".join(self.value(t, d) for t in self.m.signatures[n][0])

    def call_of(self, n, d, tail=False):
        params, results = self.m.signatures[n]
        t = leb(self.m.type(params, results))
        code = self.arguments(n, d)
        # Where one of that type is, if nobody moved it.
        fit = [k for k, x in enumerate(self.m.elements)
               if self.m.signatures[x] == self.m.signatures[n]]
        index, table = self.index(0), self.table()
        if fit and self.r.random() < 0.95:
            index = b"\x41" + sleb(self.r.choice(fit) + 1)
            table = b"\x00"
        return self.some(
            (4, None, lambda: code + (b"\x12" if tail else b"\x10") + leb(n)),
            (2 if fit else .1, None, lambda: code + index +
             (b"\x13" if tail else b"\x11") + t + table),
            (2, "typed", lambda: code + b"\xd2" + leb(n) +
             (b"\x15" if tail else b"\x14") + t))

    def call(self, t, d):
        fit = [n for n, s in enumerate(self.m.signatures) if t in s[1]]
        if not fit:
            return self.value(t, d)
        n = self.r.choice(fit)
        results = self.m.signatures[n][1]
        # All but one are dropped, from the top.
        keep = self.local(t)
        code = self.call_of(n, d)
        for x in reversed(results):
            code += b"\x21" + self.local(x) if x != t else b"\x21" + keep
        return code + b"\x20" + keep

    def tail_call(self):
        fit = [n for n, s in enumerate(self.m.signatures)
               if s[1] == self.results]
        return self.call_of(self.r.choice(fit), 2, True)

    # --- exceptions ---------------------------------------------------------------

    def throw(self, d):
        n = self.r.randrange(len(self.m.tags))
        return b"".join(self.value(t, d) for t in self.m.tags[n]) + \
            b"\x08" + leb(n)

    def risky(self, d):
        """Statements, of which one may throw."""
        code = self.statements(d)
        if self.r.random() < 0.6:
            code += self.value(I32, d) + b"\x04\x40" + self.throw(d) + b"\x0b"
        return code

    def catch(self, t, d):
        self.labels.insert(0, [t])
        code = b"\x06" + bytes([t]) + self.risky(d) + self.value(t, d)
        for n, tag in enumerate(self.m.tags):
            if self.r.random() < 0.6:
                code += b"\x07" + leb(n) + b"\x1a" * len(tag)
                code += b"\x09\x00" if self.r.random() < 0.1 else \
                    self.value(t, d)
        if self.r.random() < 0.5:
            code += b"\x19" + self.value(t, d)
        self.labels.pop(0)
        return code + b"\x0b"

    def try_table(self, t, d):
        """block t (block (tag's values) try_table ... end br 1) drop value"""
        n = self.r.randrange(len(self.m.tags))
        every = self.r.random() < 0.3
        values = [] if every else self.m.tags[n]
        with_ref = self.r.random() < 0.3
        inner = self.m.type([], values + ([b"\x69"] if with_ref else []))
        kind = (2 if every else 0) + with_ref
        clause = bytes([kind]) + (b"" if every else leb(n)) + b"\x00"
        # Labels: 0 the inner block when seen from the clause.
        self.labels = [[t], [t], [t]] + self.labels
        body = self.risky(d) + self.value(t, d)
        self.labels = self.labels[2:]
        after = self.value(t, d)
        self.labels = self.labels[1:]
        if with_ref and self.r.random() < 0.2:
            drop = b"\x0a"
        else:
            drop = b"\x1a" * (len(values) + with_ref)
        return (b"\x02" + bytes([t]) + b"\x02" + sleb(inner) + b"\x1f" +
                bytes([t]) + leb(1) + clause + body + b"\x0b" + b"\x0c\x01" +
                b"\x0b" + drop + after + b"\x0b")

    # --- statements ------------------------------------------------------------------

    def statements(self, depth):
        code = b""
        for _ in range(self.r.randint(0, 2 + depth)):
            if self.room > 0:
                code += self.statement(depth - 1)
        return code

    def statement(self, d):
        self.room -= 1
        kinds = self.m.numbers()
        t = self.r.choice(kinds)
        k = self.r.randrange(len(self.m.globals))
        choices = [
            (5, None, lambda: self.value(t, d) + b"\x21" + self.local(t)),
            (2, None, lambda: self.value(self.m.globals[k], d) + b"\x24" +
             leb(k + 1)),
            (4, None, lambda: self.store(d)),
            (1, None, lambda: self.value(t, d) + b"\x1a"),
            (2, "bulk", lambda: self.bulk(d)),
            (2, "tables", lambda: self.table_change(d)),
            (3, "gc", lambda: self.object_change(d)),
            (1, "gc", lambda: self.reference(ANYREF, d) + b"\x21" +
             self.local(ANYREF)),
            (1, "tables", lambda: self.reference(FUNCREF, d) + b"\x21" +
             self.local(FUNCREF))]
        if d > 0:
            choices += [
                (2, None, lambda: self.when(d)),
                (2, None, lambda: self.loop(d)),
                (1, None, lambda: self.switch(d)),
                (1, None, lambda: self.leave(d)),
                (1, None, lambda: self.call_away(d))]
        return self.some(*choices)

    def when(self, d):
        code = self.value(I32, d) + b"\x04\x40"
        self.labels.insert(0, [])
        code += self.statements(d)
        if self.r.random() < 0.5:
            code += b"\x05" + self.statements(d)
        self.labels.pop(0)
        return code + b"\x0b"

    def loop(self, d):
        """A few turns, each of which costs."""
        c = self.counter()
        turns = self.r.choice([1, 2, 3, 5, 10])
        self.labels.insert(0, None)
        body = self.statements(d)
        self.labels.pop(0)
        return (b"\x41" + sleb(turns) + b"\x21" + c + b"\x03\x40" +
                self.pay() + body + b"\x20" + c + b"\x41\x01\x6b\x22" + c +
                b"\x0d\x00\x0b")

    def targets(self):
        return [k for k, x in enumerate(self.labels) if x == []]

    def leave(self, d):
        fit = self.targets()
        if not fit:
            return b""
        return self.value(I32, d) + b"\x0d" + leb(self.r.choice(fit))

    def switch(self, d):
        """Blocks in each other, and a jump to the end of one."""
        n = self.r.randint(1, 4)
        code = b"\x02\x40" * n
        self.labels = [[]] * n + self.labels
        code += self.value(I32, d) + b"\x41\x07\x71\x0e" + vec(
            [leb(self.r.randrange(n)) for _ in range(n)]) + \
            leb(self.r.randrange(n))
        for _ in range(n):
            self.labels.pop(0)
            code += b"\x0b" + self.statements(d - 1)
        return code

    def call_away(self, d):
        n = self.function()
        return self.call_of(n, d) + b"".join(
            b"\x21" + self.local(t) for t in reversed(
                self.m.signatures[n][1]))


def generate(rng, features=None):
    """The bytes, and what they need."""
    if features is None:
        pool = NODE if rng.random() < 0.5 else ALL
        features = [f for f in pool if rng.random() < 0.7]
    if "catch" in features and "try_table" in features:
        features = [f for f in features
                    if f != rng.choice(["catch", "try_table"])]
    return Module(rng, features).make(), features
