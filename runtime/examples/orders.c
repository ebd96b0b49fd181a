/* SPDX-License-Identifier: MIT */
/* examples/orders.c - messages that have structs, enums, lists, maps and options in them.
 *
 * A customer sends two orders to a till and prints what it answers: a receipt, or an error that
 * says why not. Above each declaration stands the same type in Rust; a Kameo actor with these types
 * reads and writes the same bytes.
 *     orders
 *         {"number":1,"cents":1430,"paid":{"Card":{"number":"4111","expires":[9,2031]}},…
 *         refused: {"TooMuch":{"limit":100000,"cents":250000}} */
#include <troupe/local.h>

#include <stdio.h>

/* struct Line { item: String, count: u32, cents: u64 } */
#define LINE(FIELD, TAG) FIELD(TAG, TEXT, item) FIELD(TAG, U32, count) FIELD(TAG, U64, cents)
TRP_MESSAGE_DECLARE(line, LINE);
TRP_MESSAGE_DEFINE(line, NULL, LINE);

/* struct Expiry(u8, u16); */
#define EXPIRY(FIELD, TAG) FIELD(TAG, U8, month) FIELD(TAG, U16, year)
TRP_MESSAGE_DECLARE(expiry, EXPIRY);
TRP_MESSAGE_DEFINE_TUPLE(expiry, NULL, EXPIRY);

/* enum Payment { Cash, Voucher(Vec<u8>), Card { number: String, expires: Expiry } } */
#define CARD(FIELD, TAG) FIELD(TAG, TEXT, number) FIELD(TAG, STRUCT(expiry), expires)
TRP_MESSAGE_DECLARE(card, CARD);
TRP_MESSAGE_DEFINE(card, NULL, CARD);
#define PAYMENT(VARIANT, TAG)                                                                      \
    VARIANT(TAG, NO_VALUE, cash, "Cash")                                                           \
    VARIANT(TAG, OCTETS, voucher, "Voucher")                                                       \
    VARIANT(TAG, STRUCT(card), card, "Card")
TRP_MESSAGE_DECLARE_ENUM(payment, PAYMENT);
TRP_MESSAGE_DEFINE_ENUM(payment, NULL, PAYMENT);

/* struct Order { lines: Vec<Line>, payment: Payment, note: Option<String> } */
#define ORDER(FIELD, TAG)                                                                          \
    FIELD(TAG, LIST(STRUCT(line)), lines)                                                          \
    FIELD(TAG, STRUCT(payment), payment)                                                           \
    FIELD(TAG, OPTION(TEXT), note)
TRP_MESSAGE_DECLARE(order, ORDER);
TRP_MESSAGE_DEFINE(order, "order", ORDER);

/* struct Receipt { number: u64, cents: u64, paid: Payment, items: BTreeMap<String, u32> } */
#define ITEM(FIELD, TAG) FIELD(TAG, TEXT, name) FIELD(TAG, U32, count)
TRP_MESSAGE_DECLARE(item, ITEM);
TRP_MESSAGE_DEFINE(item, NULL, ITEM);
#define RECEIPT(FIELD, TAG)                                                                        \
    FIELD(TAG, U64, number)                                                                        \
    FIELD(TAG, U64, cents)                                                                         \
    FIELD(TAG, STRUCT(payment), paid)                                                              \
    FIELD(TAG, MAP(item), items)
TRP_MESSAGE_DECLARE(receipt, RECEIPT);
TRP_MESSAGE_DEFINE(receipt, "receipt", RECEIPT);

/* enum Refusal { Nothing, TooMuch { limit: u64, cents: u64 } } */
#define TOO_MUCH(FIELD, TAG) FIELD(TAG, U64, limit) FIELD(TAG, U64, cents)
TRP_MESSAGE_DECLARE(too_much, TOO_MUCH);
TRP_MESSAGE_DEFINE(too_much, NULL, TOO_MUCH);
#define REFUSAL(VARIANT, TAG)                                                                      \
    VARIANT(TAG, NO_VALUE, nothing, "Nothing")                                                     \
    VARIANT(TAG, STRUCT(too_much), too_much, "TooMuch")
TRP_MESSAGE_DECLARE_ENUM(refusal, REFUSAL);
TRP_MESSAGE_DEFINE_ENUM(refusal, "refusal", REFUSAL);

#define CENTS_MAX 100000u
#define ITEMS_MAX 16u

/* ---- the till: order -> Result<Receipt, Refusal> ---- */

struct till {
    uint64_t receipts;
};

static enum trp_status till_on_order(struct trp_context *ctx, void *state, const void *message)
{
    struct till *till = state;
    const struct order *order = message;
    struct item items[ITEMS_MAX];
    struct receipt receipt = {.paid = order->payment};
    size_t count = order->lines.count < ITEMS_MAX ? order->lines.count : ITEMS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &order->lines.items[i];
        receipt.cents += line->count * line->cents;
        items[i] = (struct item){.name = line->item, .count = line->count};
    }
    if (count == 0) {
        return trp_reply_error(ctx, &refusal_type, &(struct refusal){.kind = refusal_nothing});
    }
    if (receipt.cents > CENTS_MAX) {
        const struct refusal refusal = {.kind = refusal_too_much,
                                        .too_much = {.limit = CENTS_MAX, .cents = receipt.cents}};
        return trp_reply_error(ctx, &refusal_type, &refusal);
    }
    receipt.number = ++till->receipts;
    receipt.items.items = items;
    receipt.items.count = count;
    return trp_reply(ctx, &receipt_type, &receipt);
}

static const struct trp_actor_handler till_handlers[] = {
    {.message = &order_type, .reply = &receipt_type, .handle = till_on_order}};

static const struct trp_actor_type till_type = {.id = "till",
                                                .state_bytes = sizeof(struct till),
                                                .handlers = till_handlers,
                                                .handlers_count = 1};

/* ---- the customer ---- */

static void print_payload(const char *what, struct trp_bytes payload)
{
    char text[512];
    (void)trp_msgpack_print(payload, text, sizeof text);
    (void)printf("%s%s\n", what, text);
}

/* A receipt is printed as it would go over the network. */
static enum trp_status customer_on_answer(struct trp_context *ctx, void *state,
                                          const struct trp_reply *reply)
{
    uint8_t payload[512];
    size_t size;
    (void)ctx;
    (void)state;
    if (reply->status == TRP_EHANDLER) {
        print_payload("refused: ", reply->payload);
        return TRP_OK;
    }
    if (reply->status != TRP_OK) {
        return reply->status;
    }
    enum trp_status status =
        trp_message_encode(&receipt_type, reply->message, payload, sizeof payload, &size);
    if (status == TRP_OK) {
        print_payload("", trp_bytes(payload, size));
    }
    return status;
}

static enum trp_status customer_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state;
    (void)args;
    struct trp_actor_ref till;
    enum trp_status status = trp_spawn(ctx, &till_type, NULL, NULL, &till);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_ask_options options = {.reply = &receipt_type, .on_reply = customer_on_answer};
    const struct line lines[] = {{trp_bytes_text("tea"), 2, 390}, {trp_bytes_text("cake"), 1, 650}};
    const struct order order = {
        .lines = TRP_LIST(lines),
        .payment = {.kind = payment_card, .card = {trp_bytes_text("4111"), {9, 2031}}},
        .note = {true, trp_bytes_text("by the window")}};
    status = trp_ask(ctx, &till, &order_type, &order, &options);
    if (status != TRP_OK) {
        return status;
    }
    const struct line piano[] = {{trp_bytes_text("piano"), 1, 250000}};
    return trp_ask(ctx, &till, &order_type, &(struct order){.lines = TRP_LIST(piano)}, &options);
}

static const struct trp_actor_type customer_type = {.id = "customer",
                                                    .on_start = customer_on_start};

int main(void)
{
    struct trp_local *local = NULL;
    enum trp_status status = trp_local_open(NULL, &local);
    if (status == TRP_OK) {
        status = trp_local_spawn(local, &customer_type, NULL, NULL, NULL);
    }
    while (status == TRP_OK && trp_local_deadline(local) != TRP_NEVER) {
        trp_local_run(local, trp_local_deadline(local));
    }
    if (status != TRP_OK) {
        (void)fprintf(stderr, "orders: %s\n", trp_status_text(status));
    }
    trp_local_close(local);
    return status == TRP_OK ? 0 : 1;
}
