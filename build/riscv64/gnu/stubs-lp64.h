/* SPDX-License-Identifier: Apache-2.0 */
/* glibc's headers ask for this where floating point is left alone, and Debian
 * has it only for the other calling convention.  Nothing is missing. */
