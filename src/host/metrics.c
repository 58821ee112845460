/* SPDX-License-Identifier: Apache-2.0 */
#include "host/view.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void head(struct buf *out, const char *name, const char *type,
	const char *help)
{
	buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type,
	const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_fmt(out, "%s %llu\n", name, (unsigned long long)value);
}

static void put_keeps(const struct keeps *ks, struct buf *out)
{
	unsigned states[KEEP_STATES] = { 0 }, channels = 0;
	for (const struct keep *k = ks->first; k; k = k->next) {
		states[k->state]++;
		channels += k->open;
	}
	head(out, "donjon_keeps", "gauge", "Keeps by state; ended: listed.");
	for (enum keep_state s = 0; s < KEEP_STATES; s++)
		buf_fmt(out, "donjon_keeps{state=\"%s\"} %u\n",
			keep_state_name(s), states[s]);
	one(out, "donjon_keeps_held", "gauge",
		"Keeps that count against the quota.", ks->held);
	one(out, "donjon_keeps_max", "gauge", "The quota of Keeps.",
		ks->config.max_keeps);
	one(out, "donjon_memory_held_bytes", "gauge",
		"Memory that Keeps may use.", ks->held_memory);
	one(out, "donjon_memory_max_bytes", "gauge", "The quota of memory.",
		ks->config.max_memory);
	one(out, "donjon_channels", "gauge", "Channels that are open.",
		channels);
}

static void put_totals(const struct keeps *ks, struct buf *out)
{
	const struct keeps_totals *t = &ks->totals;
	one(out, "donjon_keeps_started_total", "counter",
		"Keeps whose process was started.", t->started);
	one(out, "donjon_keeps_refused_total", "counter",
		"Asks that a quota or the host refused.", t->refused);
	head(out, "donjon_keeps_ended_total", "counter",
		"Keeps that ended, by reason.");
	for (size_t i = 0; i < KEEPS_REASONS; i++)
		buf_fmt(out, "donjon_keeps_ended_total{reason=\"%s\"} %llu\n",
			keeps_reasons[i], (unsigned long long)t->ended[i]);
	one(out, "donjon_channels_opened_total", "counter",
		"Channels that were handed to Keeps.", t->channels);
	head(out, "donjon_channel_bytes_total", "counter",
		"Bytes of closed channels, as counted by donjon-keep.");
	buf_fmt(out, "donjon_channel_bytes_total{direction=\"in\"} %llu\n",
		(unsigned long long)t->bytes_in);
	buf_fmt(out, "donjon_channel_bytes_total{direction=\"out\"} %llu\n",
		(unsigned long long)t->bytes_out);
}

static void put_start(const struct keeps *ks, struct buf *out)
{
	const struct keeps_totals *t = &ks->totals;
	static const char name[] = "donjon_keep_start_seconds";
	uint64_t sum = 0;
	head(out, name, "histogram", "From the ask to the evidence.");
	for (size_t i = 0; i < KEEPS_BUCKETS; i++) {
		sum += t->start_bucket[i];
		if (i < KEEPS_BUCKETS - 1)
			buf_fmt(out, "%s_bucket{le=\"%g\"} %llu\n", name,
				keeps_bucket_ms[i] / 1000.0,
				(unsigned long long)sum);
	}
	buf_fmt(out, "%s_bucket{le=\"+Inf\"} %llu\n", name,
		(unsigned long long)sum);
	buf_fmt(out, "%s_sum %.6f\n%s_count %llu\n", name,
		(double)t->start_ns / 1e9, name, (unsigned long long)sum);
}

static void put_http(const struct http_totals *h, struct buf *out)
{
	head(out, "donjon_http_answers_total", "counter",
		"HTTP answers, by status.");
	for (size_t i = 0; i < HTTP_STATUSES; i++)
		buf_fmt(out, "donjon_http_answers_total{status=\"%u\"} %llu\n",
			http_statuses[i], (unsigned long long)h->answers[i]);
	one(out, "donjon_http_connections", "gauge",
		"Connections, without those that became channels.",
		h->connections);
	one(out, "donjon_http_evicted_total", "counter",
		"Connections that were closed because they were too slow or "
		"too many.",
		h->evicted);
}

static uint64_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_process(struct buf *out)
{
	struct rusage r = { 0 };
	getrusage(RUSAGE_SELF, &r);
	double cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		(double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
	head(out, "process_cpu_seconds_total", "counter",
		"CPU time of the host agent.");
	buf_fmt(out, "process_cpu_seconds_total %.6f\n", cpu);
	one(out, "process_resident_memory_bytes", "gauge",
		"Resident memory of the host agent.", resident_bytes());
	head(out, "donjon_build_info", "gauge", "Version of the host agent.");
	buf_fmt(out, "donjon_build_info{version=\"%s\"} 1\n", DONJON_VERSION);
}

bool view_metrics(const struct keeps *ks, const struct http_totals *http,
	struct buf *out)
{
	put_keeps(ks, out);
	put_totals(ks, out);
	put_start(ks, out);
	put_http(http, out);
	put_process(out);
	return buf_ok(out);
}
