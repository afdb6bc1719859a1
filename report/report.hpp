// The room report: progress, tables, records, CSV, figures and the course page. Below are its pages in the
// order to read them.
#pragma once
// clang-format off
#include "report/table.hpp"        // rows of text and numbers, as text, Markdown or HTML
#include "report/figure.hpp"       // curves, heat maps, spectra, histograms and waterfalls, a line each
#include "report/progress.hpp"     // how far long work is, on one line
#include "report/csv.hpp"          // tables of numbers for other programs
#include "report/json.hpp"         // what a lesson found, as a file
#include "report/tape_page.hpp"    // the record of a computation as a page of HTML
#include "report/course_page.hpp"  // every lesson's record as pages of HTML
// clang-format on
