/* SPDX-License-Identifier: Apache-2.0 */
/* Where the host starts a thread: what C takes for granted is a stack. */
	.globaltype __stack_pointer, i32
	.functype thread_begin (i32, i32) -> ()
	.globl wasi_thread_start
	.export_name wasi_thread_start, wasi_thread_start
wasi_thread_start:
	.functype wasi_thread_start (i32, i32) -> ()
	local.get 1
	i32.load 0 # struct thread's stack_top
	global.set __stack_pointer
	local.get 0
	local.get 1
	call thread_begin
	end_function
