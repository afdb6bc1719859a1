// The record of a computation as one page of HTML.
#pragma once
#include <string>

#include "autodiff/explore.hpp"

namespace cotangent::report {

struct TapePageOptions {
  std::string title = "Tape";
  /// Of more rows than this the page shows those that take the most time.
  Index most = 2000;
};

/// Writes what explore returned: totals, the share of each kind of operation, and a row a node, whose inputs
/// are links to theirs. The page needs no network, no script and nothing beside it, follows the reader's
/// choice of light or dark and fits a screen of 400 pixels. An existing file is replaced in one step.
/// Throws: DomainError if options.most < 1 or the file cannot be written.
void save_tape_page(const std::string& path, const TapeReport& report, const TapePageOptions& options = {});

}  // namespace cotangent::report
