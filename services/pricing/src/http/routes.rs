//! The table of routes.

use contracts::{
    List,
    pricing::{
        Campaign, CampaignInput, CampaignView, Channel, ChannelInput, CouponChange, CouponInput,
        CouponView, GenerateCoupons, GeneratedCoupons, ListedPrice, PriceList, PriceListInput,
        PriceOfSku, PricesSet, Promotion, PromotionInput, PromotionView, RedemptionView, Region,
        RegionInput, SetPrices, TaxImportAnswer, TaxRate, TaxRateInput, TaxSettings, WhereSold,
    },
};
use web::{Access, Routes};

use super::{campaigns, coupons, places, prices, promotions, taxes};

const READ: Access = Access::Permission("pricing:read");
const WRITE: Access = Access::Permission("pricing:write");

/// 2,000 prices of a few tiers each, or a country's table of tax rates.
const BULK_BODY: usize = 4 * 1024 * 1024;

/// The table of routes.
pub fn routes() -> Routes {
    let routes = place_routes(Routes::new());
    let routes = price_routes(routes);
    let routes = promotion_routes(routes);
    let routes = coupon_routes(routes);
    tax_routes(routes)
}

fn place_routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/pricing/regions/public",
            Access::Public,
            places::public,
            |d| {
                d.summary("Where the shop sells: channels and regions, for storefronts")
                    .answer::<WhereSold>(200, "Channels and regions")
            },
        )
        .get("/api/pricing/channels", READ, places::channels, |d| {
            d.summary("All channels")
                .description("`web` is built in: carts that name no channel are of it.")
                .answer::<List<Channel>>(200, "Channels")
        })
        .post("/api/pricing/channels", WRITE, places::add_channel, |d| {
            d.summary("Add a channel")
                .body::<Channel>()
                .answer::<Channel>(201, "The channel")
                .idempotent()
        })
        .get("/api/pricing/channels/{code}", READ, places::channel, |d| {
            d.summary("A channel").answer::<Channel>(200, "The channel")
        })
        .put(
            "/api/pricing/channels/{code}",
            WRITE,
            places::put_channel,
            |d| {
                d.summary("Make or change a channel")
                    .body::<ChannelInput>()
                    .answer::<Channel>(200, "The channel")
            },
        )
        .get("/api/pricing/regions", READ, places::regions, |d| {
            d.summary("All regions")
                .answer::<List<Region>>(200, "Regions")
        })
        .post("/api/pricing/regions", WRITE, places::add_region, |d| {
            d.summary("Add a region")
                .description("409 `country-taken` names the country and the region that has it.")
                .body::<Region>()
                .answer::<Region>(201, "The region")
                .idempotent()
        })
        .get("/api/pricing/regions/{code}", READ, places::region, |d| {
            d.summary("A region").answer::<Region>(200, "The region")
        })
        .put(
            "/api/pricing/regions/{code}",
            WRITE,
            places::put_region,
            |d| {
                d.summary("Make or change a region")
                    .body::<RegionInput>()
                    .answer::<Region>(200, "The region")
            },
        )
        .delete(
            "/api/pricing/regions/{code}",
            WRITE,
            places::remove_region,
            |d| d.summary("Remove a region").answer_empty(204, "It is gone"),
        )
}

fn price_routes(routes: Routes) -> Routes {
    routes
        .get("/api/pricing/price-lists", READ, prices::lists, |d| {
            d.summary("Price lists, oldest first")
                .paged()
                .answer::<List<PriceList>>(200, "Price lists")
        })
        .post("/api/pricing/price-lists", WRITE, prices::add_list, |d| {
            d.summary("Make a price list")
                .body::<PriceListInput>()
                .answer::<PriceList>(201, "The list")
                .idempotent()
        })
        .get("/api/pricing/price-lists/{id}", READ, prices::list, |d| {
            d.summary("A price list")
                .answer::<PriceList>(200, "The list")
        })
        .put(
            "/api/pricing/price-lists/{id}",
            WRITE,
            prices::change_list,
            |d| {
                d.summary("Change a price list; its currency stays")
                    .body::<PriceListInput>()
                    .answer::<PriceList>(200, "The list")
            },
        )
        .delete(
            "/api/pricing/price-lists/{id}",
            WRITE,
            prices::remove_list,
            |d| {
                d.summary("Remove a price list with its prices")
                    .answer_empty(204, "It is gone")
            },
        )
        .get(
            "/api/pricing/price-lists/{id}/prices",
            READ,
            prices::all,
            |d| {
                d.summary("The prices of a list, by SKU")
                    .paged()
                    .answer::<List<ListedPrice>>(200, "Prices")
            },
        )
        .post(
            "/api/pricing/price-lists/{id}/prices",
            WRITE,
            prices::set_many,
            |d| {
                d.summary("Set the prices of up to 2,000 SKUs, all or none")
                    .body::<SetPrices>()
                    .answer::<PricesSet>(200, "What came of them")
                    .idempotent()
                    .body_limit(BULK_BODY)
            },
        )
        .get(
            "/api/pricing/price-lists/{id}/prices/{sku}",
            READ,
            prices::one,
            |d| {
                d.summary("The price of a SKU in a list")
                    .answer::<ListedPrice>(200, "The price")
            },
        )
        .put(
            "/api/pricing/price-lists/{id}/prices/{sku}",
            WRITE,
            prices::set_one,
            |d| {
                d.summary("Set the price of a SKU in a list")
                    .body::<PriceOfSku>()
                    .answer::<ListedPrice>(200, "The price")
            },
        )
        .delete(
            "/api/pricing/price-lists/{id}/prices/{sku}",
            WRITE,
            prices::remove_one,
            |d| {
                d.summary("Take a SKU's price off a list")
                    .answer_empty(204, "It is gone")
            },
        )
}

fn promotion_routes(routes: Routes) -> Routes {
    routes
        .get("/api/pricing/promotions", READ, promotions::list, |d| {
            d.summary("Promotions, oldest first")
                .paged()
                .answer::<List<Promotion>>(200, "Promotions")
        })
        .post("/api/pricing/promotions", WRITE, promotions::add, |d| {
            d.summary("Make a promotion")
                .description(
                    "All its amounts are of one currency, and of that of its campaign's budget.",
                )
                .body::<PromotionInput>()
                .answer::<Promotion>(201, "The promotion")
                .idempotent()
        })
        .get(
            "/api/pricing/promotions/{id}",
            READ,
            promotions::show,
            |d| {
                d.summary("A promotion, how many orders use it and what it takes off them")
                    .answer::<PromotionView>(200, "The promotion")
            },
        )
        .put(
            "/api/pricing/promotions/{id}",
            WRITE,
            promotions::change,
            |d| {
                d.summary("Change a promotion")
                    .body::<PromotionInput>()
                    .answer::<Promotion>(200, "The promotion")
            },
        )
        .delete(
            "/api/pricing/promotions/{id}",
            WRITE,
            promotions::remove,
            |d| {
                d.summary("Remove a promotion; its coupons give nothing any more")
                    .answer_empty(204, "It is gone")
            },
        )
        .get(
            "/api/pricing/redemptions/{order_id}",
            READ,
            promotions::redemption,
            |d| {
                d.summary("What an order uses of scarce promotions, or why that was refused")
                    .answer::<RedemptionView>(200, "The uses")
            },
        )
        .get("/api/pricing/campaigns", READ, campaigns::list, |d| {
            d.summary("Campaigns, oldest first")
                .paged()
                .answer::<List<Campaign>>(200, "Campaigns")
        })
        .post("/api/pricing/campaigns", WRITE, campaigns::add, |d| {
            d.summary("Make a campaign")
                .body::<CampaignInput>()
                .answer::<Campaign>(201, "The campaign")
                .idempotent()
        })
        .get("/api/pricing/campaigns/{id}", READ, campaigns::show, |d| {
            d.summary("A campaign, its promotions, and what was used of its budget")
                .answer::<CampaignView>(200, "The campaign")
        })
        .put(
            "/api/pricing/campaigns/{id}",
            WRITE,
            campaigns::change,
            |d| {
                d.summary("Change a campaign")
                    .body::<CampaignInput>()
                    .answer::<Campaign>(200, "The campaign")
            },
        )
        .delete(
            "/api/pricing/campaigns/{id}",
            WRITE,
            campaigns::remove,
            |d| {
                d.summary("Remove a campaign that no promotion draws on")
                    .answer_empty(204, "It is gone")
            },
        )
}

fn coupon_routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/pricing/promotions/{id}/coupons",
            READ,
            coupons::list,
            |d| {
                d.summary("A promotion's coupons by code, with how often each was used")
                    .paged()
                    .answer::<List<CouponView>>(200, "Coupons")
            },
        )
        .post(
            "/api/pricing/promotions/{id}/coupons",
            WRITE,
            coupons::add,
            |d| {
                d.summary("Make a coupon with a code of one's own")
                    .description("A code is taken for ever: 409 `coupon-taken`.")
                    .body::<CouponInput>()
                    .answer::<CouponView>(201, "The coupon")
                    .idempotent()
            },
        )
        .post(
            "/api/pricing/promotions/{id}/coupons/generate",
            WRITE,
            coupons::generate,
            |d| {
                d.summary("Make up to 1,000 coupons with codes nobody can guess")
                    .query(
                        "format",
                        "`json` (unless given) or `csv`: one column `code`",
                    )
                    .body::<GenerateCoupons>()
                    .answer::<GeneratedCoupons>(201, "The codes")
                    .idempotent()
            },
        )
        .put(
            "/api/pricing/promotions/{id}/coupons/{code}",
            WRITE,
            coupons::change,
            |d| {
                d.summary("Change a coupon's limit, switch it off or on")
                    .body::<CouponChange>()
                    .answer::<CouponView>(200, "The coupon")
            },
        )
        .delete(
            "/api/pricing/promotions/{id}/coupons/{code}",
            WRITE,
            coupons::deactivate,
            |d| {
                d.summary("Switch a coupon off; its code stays taken")
                    .answer_empty(204, "It is off")
            },
        )
        .get("/api/pricing/coupons/{code}", READ, coupons::find, |d| {
            d.summary("The coupon of a code, however it is typed")
                .answer::<CouponView>(200, "The coupon")
        })
}

fn tax_routes(routes: Routes) -> Routes {
    routes
        .get("/api/pricing/tax-rates", READ, taxes::list, |d| {
            d.summary("Tax rates, by id").query("country", "only this country").paged().answer::<List<TaxRate>>(200, "Tax rates")
        })
        .post("/api/pricing/tax-rates", WRITE, taxes::add, |d| {
            d.summary("Make a tax rate").body::<TaxRateInput>().answer::<TaxRate>(201, "The rate").idempotent()
        })
        .post("/api/pricing/tax-rates/import", WRITE, taxes::import, |d| {
            d.summary("Take in a table of tax rates")
                .description("Send WooCommerce's tax-rate CSV as `text/csv`, or the open table of EU VAT rates (`items`: country → periods with `effective_from`, `rates`, `exceptions`) as `application/json`. Rows that cannot be used are answered with the reason and do not hinder the others. The same table again changes nothing.")
                .answer::<TaxImportAnswer>(200, "What came of each row")
                .body_limit(BULK_BODY)
        })
        .get("/api/pricing/tax-rates/{id}", READ, taxes::show, |d| {
            d.summary("A tax rate").answer::<TaxRate>(200, "The rate")
        })
        .put("/api/pricing/tax-rates/{id}", WRITE, taxes::change, |d| {
            d.summary("Change a tax rate").body::<TaxRateInput>().answer::<TaxRate>(200, "The rate")
        })
        .delete("/api/pricing/tax-rates/{id}", WRITE, taxes::remove, |d| {
            d.summary("Remove a tax rate").answer_empty(204, "It is gone")
        })
        .get("/api/pricing/tax-settings", READ, taxes::settings, |d| {
            d.summary("How the shop is taxed").answer::<TaxSettings>(200, "The settings")
        })
        .put("/api/pricing/tax-settings", WRITE, taxes::set_settings, |d| {
            d.summary("Decide how the shop is taxed").body::<TaxSettings>().answer::<TaxSettings>(200, "The settings")
        })
}
