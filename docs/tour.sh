#!/bin/sh
# The README's five-minute tour, with what each answer must hold. It needs curl, a running shop with
# the demo catalogue, and the one-time password that the shop's first start printed:
#
#   SOUK_ADMIN_PASSWORD=… sh docs/tour.sh
#
# SOUK_URL says where the shop is (http://127.0.0.1:8080); `souk` must be on the PATH. Every command
# of the README's tour stands here word for word (a test compares them); `cargo xtask tour` starts a
# shop and runs this.
set -eu

SOUK=${SOUK_URL:-http://127.0.0.1:8080}
ONCE=${SOUK_ADMIN_PASSWORD:?give the one-time password that the first start printed}
cd "$(dirname "$0")/.."

# expect WHAT ANSWER TEXT: the answer must hold the text.
expect() {
    case $2 in
        *"$3"*) echo "ok: $1" ;;
        *)
            echo "FAILED: $1: no $3 in: $2" >&2
            exit 1
            ;;
    esac
}

value() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# A look around
expect "the shop is ready" "$(curl -sS $SOUK/readyz)" '"ready":true'
expect "products come in pages" "$(curl -sS "$SOUK/api/catalog/products?limit=2")" '"next_cursor":'
HANDLE=$(curl -sS "$SOUK/api/catalog/products?limit=1" | value handle)
expect "a product has variants" "$(curl -sS $SOUK/api/catalog/products/$HANDLE)" '"variants":'
SKU=$(curl -sS $SOUK/api/catalog/products/$HANDLE | value sku)
expect "anyone may ask for stock" "$(curl -sS $SOUK/api/inventory/levels/$SKU)" "$SKU"

# Buy something
CART=$(curl -sS -X POST $SOUK/api/carts | value id)
LINES=$(curl -sS $SOUK/api/carts/$CART/lines --json '{"sku": "'$SKU'", "quantity": 2}')
expect "two are in the cart" "$LINES" '"quantity":2'
checkout() {
  curl -sS $SOUK/api/carts/$1/checkout -H 'Prefer: wait=5' -H "Idempotency-Key: $1-$2" --json '{
    "email": "ann@example.org",
    "shipping_address": {"name": "Ann Example", "line1": "1 High Street", "city": "London",
                         "postcode": "N1 1AA", "country": "GB"},
    "payment": {"provider": "sandbox", "token": "'$2'"}}'
}
ANSWER=$(checkout $CART tok_visa)
expect "the order is confirmed" "$ANSWER" '"status":"confirmed"'
ORDER=$(echo "$ANSWER" | value id)
TOKEN=$(echo "$ANSWER" | value access_token)

# Do it again: the same order, nothing is charged twice
expect "the same request gets the same order" "$(checkout $CART tok_visa)" "$ORDER"

# Look at the order, and follow it
SEEN=$(curl -sS $SOUK/api/orders/$ORDER -H "Authorization: Bearer $TOKEN")
expect "its buyer sees the order" "$SEEN" '"what":"confirmed"'
FOLLOWED=$(curl -sSN $SOUK/api/orders/$ORDER/events -H "Authorization: Bearer $TOKEN" 2> /dev/null | head -n 2)
expect "changes are told as they happen" "$FOLLOWED" 'event: update'
NOBODY=$(curl -sS $SOUK/api/orders/$ORDER)
expect "nobody else sees it" "$NOBODY" '"status":401'

# What goes wrong
CART=$(curl -sS -X POST $SOUK/api/carts | value id)
BAD=$(curl -sS $SOUK/api/carts/$CART/lines --json '{"sku": "'$SKU'", "quantity": -1}')
expect "bad input names the field" "$BAD" '"field":"quantity"'
curl -sS -o /dev/null $SOUK/api/carts/$CART/lines --json '{"sku": "'$SKU'", "quantity": 1}'
DECLINED=$(checkout $CART tok_declined)
expect "a declined card cancels the order" "$DECLINED" '"cancel_reason":"payment_declined"'

# Sign in as the administrator
expect "the one-time password is only for choosing another" "$(
    curl -sS $SOUK/api/identity/login --json '{"email": "admin@souk.local", "password": "'$ONCE'"}'
)" 'password-change-required'
SESSION=$(curl -sS $SOUK/api/identity/password --json '{"email": "admin@souk.local",
  "current_password": "'$ONCE'", "new_password": "a phrase of your own"}' | value session_token)
KEY=$(curl -sS $SOUK/api/identity/api-keys -H "Authorization: Bearer $SESSION" --json '{"name": "tour",
  "permissions": ["catalog:write", "inventory:write", "orders:read", "payments:write", "ops:read"]}' | value secret)
expect "an API key was made" "$KEY" souk_

# Run the shop: take the money, count the stock, bring products in
PAYMENT=$(curl -sS $SOUK/api/orders/$ORDER -H "Authorization: Bearer $KEY" | value payment_id)
CAPTURED=$(curl -sS -X POST $SOUK/api/payments/$PAYMENT/capture -H "Authorization: Bearer $KEY" -H 'Idempotency-Key: tour-1')
expect "the money is taken" "$CAPTURED" '"captured"'
ADJUSTED=$(curl -sS $SOUK/api/inventory/adjustments -H "Authorization: Bearer $KEY" -H 'Idempotency-Key: tour-2' --json '{
  "adjustments": [{"sku": "'$SKU'", "set_on_hand": 250, "reason": "count"}]}')
expect "the stock is counted" "$ADJUSTED" '250'
expect "an export is imported" "$(souk import shopify docs/tour-products.csv --url $SOUK --key $KEY)" '2 products'
expect "what was imported is on sale" "$(curl -sS $SOUK/api/catalog/products/tour-lantern)" '"handle":"tour-lantern"'
expect "events are shown as they are kept" "$(souk events --url $SOUK --key $KEY tail orders --after 0 --count 1)" 'orders.order.placed.v1'

# Documentation and figures
expect "the API is documented" "$(curl -sS $SOUK/openapi.json)" '/api/carts/{id}/checkout'
expect "the documentation is a page" "$(curl -sSL $SOUK/docs)" '<html'
expect "figures are there to be collected" "$(curl -sS $SOUK/metrics)" 'souk_'
echo "the tour works"
