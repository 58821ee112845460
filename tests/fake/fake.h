/* SPDX-License-Identifier: Apache-2.0 */
/* What the stand-in for exec does: the first byte of the nonce says. */
#ifndef TESTS_FAKE_FAKE_H
#define TESTS_FAKE_FAKE_H

enum fake {
	FAKE_ECHO,	 /* a good Keep: echoes one channel, then is done */
	FAKE_CRASH,	 /* dies of SIGSEGV */
	FAKE_QUIT,	 /* exit status 7, without a word */
	FAKE_DROP_BELL,	 /* closes its bell and sleeps */
	FAKE_PROBE,	 /* tries all that it must not be able to do */
	FAKE_UNKNOWN_OP, /* asks for an operation that is none */
	FAKE_TOO_EARLY,	 /* listens before it has evidence */
	FAKE_IMPATIENT,	 /* rings while it waits */
	FAKE_WAIT,	 /* waits for events for ever */
	FAKE_DEAF,	 /* rings without waiting for an answer */
	FAKE_CHATTY,	 /* publishes more than can be told */
};

#endif
