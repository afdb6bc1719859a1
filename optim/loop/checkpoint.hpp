// Runs as files: walks over state that write and read one .npz, which NumPy reads too.
#pragma once
#include <string>
#include <vector>

#include "autodiff/npz.hpp"
#include "optim/state.hpp"

namespace cotangent::optim {

/// A walk that collects everything by name.
class SaveState final : public State {
 public:
  explicit SaveState(const Params& like) : State(like) {}
  void text(const std::string& name, std::vector<std::string> lines);
  /// Replaces `path` in one step or leaves what was there. Throws: DomainError naming the file.
  void write(const std::string& path) const { save_npz(path, contents_); }

 private:
  void visit(const std::string& name, Tensor& tensor, bool) override;
  NpzContents contents_;
};

/// A walk that puts everything back.
class LoadState final : public State {
 public:
  /// Throws: DomainError naming the file where it is no .npz.
  LoadState(std::string path, const Params& like);
  /// The lines of a text. Throws, as the walk does: DomainError that names what is missing.
  const std::vector<std::string>& text(const std::string& name) const;
  /// Throws: DomainError if something in the file was not asked for.
  void finish() const;
  const std::string& path() const noexcept { return path_; }

  /// What a file of a run says of its parameters, before there is a walk. Throws: DomainError.
  static Params parameters(const std::string& path);

 private:
  void visit(const std::string& name, Tensor& tensor, bool) override;
  std::string path_;
  NpzContents contents_;
  std::vector<std::string> seen_;
};

/// The names and shapes of w as lines "0.weight [7, 3]", and w's table from them.
std::vector<std::string> table_lines(const Params& w);
std::vector<ParamEntry> table_of_lines(const std::string& path, const std::vector<std::string>& lines);

}  // namespace cotangent::optim
