// Monitors, early ends, logs and checkpoints.
#include "optim/observers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::optim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The epoch's value, or the monitor's; none where it was not asked.
std::optional<double> looked_at(const Monitor* monitor, const View& view) {
  if (!monitor) return view.trace.back().value;
  if (!monitor->asked(view.epoch)) return std::nullopt;
  return monitor->value();
}

void open(std::unique_ptr<std::ofstream>& file, const char* name, const std::string& path) {
  file = std::make_unique<std::ofstream>(path, std::ios::trunc);
  if (!*file)
    throw DomainError(fmt::format(
        "[{}] {}: cannot be written; give a path in a directory that is there and yours", name, path));
}

void flush(std::ofstream& file, const char* name, const std::string& path) {
  file.flush();
  if (!file)
    throw DomainError(fmt::format("[{}] {}: cannot be written any more; is the disk full?", name, path));
}

std::string json(double number) { return std::isfinite(number) ? fmt::format("{}", number) : "null"; }

std::string json(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < ' ')
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string csv(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

Monitor::Monitor(std::string name, Function<double(const Params& w)> f, Index every)
    : name_(std::move(name)), f_(std::move(f)), every_(every) {
  if (name_.empty() || !f_ || every_ < 1)
    throw DomainError(fmt::format(
        "[Monitor] \"{}\", every {} epochs: give a name, a callable of w and 1 or more", name_, every_));
}

std::vector<Column> Monitor::columns() const { return {{name_, value_}}; }

Flow Monitor::on_start(const View&) {
  value_ = kUnknown;
  return Flow::go_on;
}

Flow Monitor::on_epoch(const View& view) {
  if (asked(view.epoch)) value_ = f_(view.w);
  return Flow::go_on;
}

EarlyStop::EarlyStop(const EarlyStopOptions& options) : options_(options) {
  if (options.patience < 1 || !(options.least_improvement >= 0.0))
    throw DomainError(
        fmt::format("[EarlyStop] patience is {}, least_improvement {}; give 1 or more, 0 or more",
                    options.patience, options.least_improvement));
}

Flow EarlyStop::on_start(const View&) {
  best_ = std::numeric_limits<double>::infinity();
  waited_ = 0;
  return Flow::go_on;
}

Flow EarlyStop::on_epoch(const View& view) {
  const std::optional<double> seen = looked_at(options_.monitor, view);
  if (!seen) return Flow::go_on;
  const double now = *seen;
  if (now < best_ - options_.least_improvement || (std::isinf(best_) && std::isfinite(now))) {
    best_ = now;
    waited_ = 0;
    return Flow::go_on;
  }
  return ++waited_ < options_.patience ? Flow::go_on : Flow::stop;
}

void EarlyStop::visit(State& state) {
  state("best", best_);
  state("waited", waited_);
}

Flow Best::on_start(const View&) {
  w_ = Params();
  value_ = std::numeric_limits<double>::infinity();
  epoch_ = -1;
  return Flow::go_on;
}

Flow Best::on_epoch(const View& view) {
  const std::optional<double> seen = looked_at(monitor_, view);
  if (!seen) return Flow::go_on;
  const double now = *seen;
  if (w_.size() == 0 || now < value_ || (std::isnan(value_) && !std::isnan(now))) {
    w_ = view.w;
    value_ = now;
    epoch_ = view.epoch;
  }
  return Flow::go_on;
}

void Best::visit(State& state) {
  state("w", w_);
  state("value", value_);
  state("epoch", epoch_);
}

CsvLog::CsvLog(std::string path) : path_(std::move(path)) {}
CsvLog::~CsvLog() = default;

Flow CsvLog::on_start(const View&) {
  open(file_, "CsvLog", path_);
  width_ = 0;
  return Flow::go_on;
}

Flow CsvLog::on_epoch(const View& view) {
  const std::vector<Column> row = view.trace.columns_of(view.trace.size() - 1);
  std::string line;
  if (width_ == 0) {
    for (const Column& c : row) line += (line.empty() ? "" : ",") + csv(c.name);
    line += "\n";
    width_ = row.size();
  }
  if (row.size() != width_)
    throw DomainError(
        fmt::format("[CsvLog] {}: the trace has {} columns now, {} in the header; list monitors before "
                    "the log",
                    path_, row.size(), width_));
  for (std::size_t k = 0; k < row.size(); ++k) line += fmt::format("{}{}", k == 0 ? "" : ",", row[k].value);
  *file_ << line << "\n";
  flush(*file_, "CsvLog", path_);
  return Flow::go_on;
}

JsonLog::JsonLog(std::string path) : path_(std::move(path)) {}
JsonLog::~JsonLog() = default;

Flow JsonLog::on_start(const View&) {
  open(file_, "JsonLog", path_);
  return Flow::go_on;
}

Flow JsonLog::on_epoch(const View& view) {
  std::string line;
  for (const Column& c : view.trace.columns_of(view.trace.size() - 1))
    line += (line.empty() ? "{" : ", ") + json(c.name) + ": " + json(c.value);
  *file_ << line << "}\n";
  flush(*file_, "JsonLog", path_);
  return Flow::go_on;
}

Checkpoint::Checkpoint(std::string path, Index every) : path_(std::move(path)), every_(every) {
  if (every < 1) throw DomainError(fmt::format("[Checkpoint] every is {}; give 1 or more iterations", every));
}

std::optional<std::string> Checkpoint::saves(Index iteration) const {
  if (iteration % every_ != 0) return std::nullopt;
  return path_;
}

Flow Checkpoint::on_start(const View&) {
  // The first save may be hours away: what would stop it is found now.
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code error;
  if (path_.empty() || std::filesystem::is_directory(path_, error))
    throw DomainError(fmt::format("[Checkpoint] \"{}\" is no file's path; give one, such as run.npz", path_));
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    throw DomainError(
        fmt::format("[Checkpoint] {}: there is no directory {}; make it first", path_, folder.string()));
  std::ofstream probe(path_ + ".probe");
  if (!probe)
    throw DomainError(
        fmt::format("[Checkpoint] {}: cannot be written; check the directory's permissions", path_));
  probe.close();
  std::filesystem::remove(path_ + ".probe", error);
  return Flow::go_on;
}

}  // namespace cotangent::optim
