/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/topics.h"

const struct lang_topic lang_topics[] = {
    {"file", "The file", "YAML, one scenario per file",
     "A scenario is one YAML document of at most 1 MiB. The key decides the type of its value, "
     "never\n"
     "the look of the value: `no`, `1e3` and `12:30` are texts where a text is expected. Texts "
     "with\n"
     "`: `, ` #`, `,` inside of braces, or that begin with one of ``{}[]*&!|>%@` `` want quotes.\n"
     "Tags (`!!str`), merge keys (`<<`) and several documents are refused; simple anchors and\n"
     "aliases work.\n"
     "\n"
     "`troupe check FILE` reports every error of a file in one pass, each with file:line:column, "
     "the\n"
     "source line, a caret and a suggestion. Nothing unknown is ignored: keys that are planned "
     "but\n"
     "not there yet are errors that say so.\n"},
    {"units", "Units", "times, shares, rates, sizes",
     "A quantity has a unit; only counts, seeds and pure numbers go without.\n"
     "\n"
     "    time    ns us ms s min h            40ms   1.5s   1min30s\n"
     "    share   %, or a fraction of 1       2%     0.02\n"
     "    rate    bit kbit Mbit Gbit          20Mbit (per second), unlimited\n"
     "    size    B kB MB GB KiB MiB GiB      64KiB\n"
     "\n"
     "Quantities are read exactly, into nanoseconds, millionths, bits per second and bytes; what\n"
     "such an integer cannot hold is an error.\n"},
    {"distributions", "Distributions", "times that are drawn",
     "Where a time is drawn anew each time, it may be a distribution:\n"
     "\n"
     "    40ms                               always the same\n"
     "    uniform(0s, 30s)                   evenly between the two\n"
     "    normal(mean=50ms, sd=5ms)          cut at 0\n"
     "    exp(mean=500ms)                    memoryless\n"
     "    lognormal(p50=40ms, p99=180ms)     by its median and its 99th percentile\n"
     "    pareto(min=10ms, shape=1.5)        heavy tail\n"
     "    weibull(k=0.5, mean=10min)         sessions of real peers have k from 0.3 to 0.6\n"
     "\n"
     "Shapes are from 0.1 to 20. Draws are made in fixed point, from the seed, the entry and a\n"
     "counter: they are the same on every machine, and one entry less moves no draw of another.\n"},
    {"selectors", "Selectors", "which hosts something happens to",
     "    all                      every host\n"
     "    none                     no host at all\n"
     "    any                      one host, drawn anew each time\n"
     "    west                     the hosts of a group, or of a zone when no group is called so\n"
     "    zone(west)               the hosts of every group in that zone\n"
     "    west[3]  west[0..9]      some of a group, counted from 0\n"
     "    boot + west              both\n"
     "    all - boot               the first without the second (spaces around the minus)\n"
     "    random(5)                five drawn hosts that are up\n"
     "    random(10%, of=west)     a share, rounded up, of some\n"
     "    closest(counter-7, 3)    those whose ids are closest to the key of a name\n"
     "    holders(counter-7)       those that store where an actor of that name is\n"
     "    (west + east) - random(2)\n"
     "\n"
     "Selectors with spaces, commas or brackets want quotes. In `network.links` and `link:` a "
     "word\n"
     "that is both a zone and a group means the zone, elsewhere the group.\n"},
    {"names", "Names of actors", "placeholders in names",
     "`register:` gives each actor a name made from placeholders:\n"
     "\n"
     "    {host.index}   number of the host in the whole scenario, from 0\n"
     "    {host.group}   name of its group\n"
     "    {host.zone}    its zone\n"
     "    {index}        number of the actor among the `count:` of one entry on one host\n"
     "\n"
     "`lookup:`, `ask:`, `tell:`, `stop:` and `kill:` name actors that some entry registers: "
     "written\n"
     "out (`counter-7`), or with `{random}` in the place of a placeholder, which draws one of the\n"
     "names that are registered like this; {host.index}, {host.group} and {host.zone} are those "
     "of\n"
     "the host an operation is issued on. `{{` stands for `{`.\n"},
    {"merging", "Files over files", "extends: and --set",
     "`extends: base.yaml` lays a file over another, or over a list of them: sections are merged "
     "key\n"
     "by key, a list or a single value replaces what is below. `--set path=value` is laid over "
     "all\n"
     "that: keys between dots, entries of lists by `[0]` or by their `name`, keys with dots in\n"
     "quotes; the value is YAML.\n"
     "\n"
     "    --set hosts.west.count=100 --set workload.finds.every=1s\n"
     "    --set 'timeline[0].for=30s' --set 'network.links.default.loss=2%'\n"
     "\n"
     "`troupe resolve FILE` prints the whole with every default said and, behind each line, where "
     "it\n"
     "comes from. What it prints is a valid scenario again.\n"}};

const uint32_t lang_topics_count = sizeof lang_topics / sizeof lang_topics[0];
