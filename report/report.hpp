// The room report: progress, tables, records, CSV, figures and the course page.
#pragma once
#include "report/course_page.hpp"
#include "report/csv.hpp"
#include "report/figure.hpp"
#include "report/json.hpp"
#include "report/progress.hpp"
#include "report/table.hpp"
#include "report/tape_page.hpp"
