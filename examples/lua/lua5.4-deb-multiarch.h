/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's source looks for its libraries by this name. */
#define DEB_HOST_MULTIARCH "wasm32-wasi"
