/* SPDX-License-Identifier: MIT */
/* troupe/pump.h - the one way to drive a process: step, drain every output, ask for the deadline.
 *
 * Both drivers call this and nothing else, so that neither can forget to drain. */
#ifndef TROUPE_PUMP_H
#define TROUPE_PUMP_H

#include <troupe/driver.h>

TRP_EXTERN_C_BEGIN

/* Performs one output; must not step the same process again before it returns. */
typedef void (*trp_perform)(void *driver, const struct trp_output *out);

/* Steps `process` with `in`, performs all its outputs, gives the moment it wants next. */
static inline enum trp_status trp_pump(struct trp_process process, const struct trp_input *in,
                                       trp_perform perform, void *driver, trp_time *ret_deadline)
{
    enum trp_status status = process.ops->step(process.self, in);
    struct trp_output out;
    while (process.ops->next_output(process.self, &out)) {
        perform(driver, &out);
    }
    *ret_deadline = process.ops->deadline(process.self);
    return status;
}

TRP_EXTERN_C_END

#endif
