// The head of every HTML page: one policy, colours for light and dark, tables that fold on narrow screens.
#pragma once
#include <string>
#include <string_view>

namespace cotangent::report {

/// From the doctype to <body>. `style` is CSS of the page's own, after what all pages share; the colours
/// --text, --soft, --back, --rule and --link are there. The title is HTML.
std::string page_head(std::string_view title, std::string_view style);

}  // namespace cotangent::report
