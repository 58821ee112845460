// SPDX-License-Identifier: Apache-2.0
//! payroll [FILE]: greets with $GREETING and adds up a payroll, whose lines
//! are a name and an amount, from a file or the standard input.
const std = @import("std");

pub fn main() !void {
    var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
    defer arena.deinit();
    const memory = arena.allocator();
    const args = try std.process.argsAlloc(memory);
    const env = try std.process.getEnvMap(memory);
    const out = std.io.getStdOut().writer();
    try out.print("{s} from Zig inside a Keep\n", .{env.get("GREETING") orelse "hello"});

    const file = if (args.len > 1) try std.fs.cwd().openFile(args[1], .{}) else std.io.getStdIn();
    const text = try file.readToEndAlloc(memory, 1 << 20);
    var people: usize = 0;
    var total: i64 = 0;
    var lines = std.mem.tokenizeScalar(u8, text, '\n');
    while (lines.next()) |line| {
        var words = std.mem.tokenizeScalar(u8, line, ' ');
        _ = words.next() orelse return error.NotNameAmount;
        total += try std.fmt.parseInt(i64, words.next() orelse return error.NotNameAmount, 10);
        people += 1;
    }
    try out.print("{d} people earn {d}\n", .{ people, total });
}
