// One-dimensional arrays of text in .npy: fixed-width UTF-32 there, UTF-8 strings here.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "autodiff/files/files.hpp"
#include "autodiff/files/npy_format.hpp"
#include "autodiff/files/utf8.hpp"

namespace cotangent::detail {

bool decode_utf8(std::string_view text, std::vector<std::uint32_t>* points) {
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.length == 0) return false;
    if (points) points->push_back(next.point);
    text.remove_prefix(next.length);
  }
  return true;
}

std::vector<std::string> npy_labels(const NpySource& source, const NpyHeader& header) {
  if (header.shape.rank() != 1)
    source.refuse(fmt::format("holds text of shape {}, not one-dimensional", header.shape.to_string()),
                  "flatten it with .ravel() before saving it");
  const std::size_t count = static_cast<std::size_t>(header.shape.size());
  const std::size_t width = static_cast<std::size_t>(header.item_bytes / 4);
  if (width == 0 && count > 0) source.fail("holds text of no width", "save it again with numpy.savez");
  std::vector<std::string> labels(count);
  const std::byte* in = source.bytes.data() + header.data_offset;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t blank = 0;  // characters 0 at the end are padding, others belong to the text
    for (std::size_t k = 0; k < width; ++k, in += 4) {
      const std::uint32_t point = number_at<std::uint32_t>(in, header.big_endian);
      if (!is_scalar_value(point))
        source.fail(fmt::format("text {} holds {:#x}, which is no character", i, point),
                    "the file is truncated or damaged, copy it again");
      if (point == 0) {
        ++blank;
        continue;
      }
      labels[i].append(std::exchange(blank, 0), '\0');
      append_utf8(labels[i], point);
    }
  }
  return labels;
}

std::string npy_labels_text(const char* operation, const std::string& where,
                            std::span<const std::string> labels) {
  std::size_t width = 1;
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    points.clear();
    if (!decode_utf8(labels[i], &points) || labels[i].find('\0') != std::string::npos)
      NpySource{operation, where, {}}.fail(
          fmt::format("label {} is not UTF-8 text without NUL characters", i), "rename it");
    width = std::max(width, points.size());
  }
  std::string text = npy_header_text(fmt::format("U{}", width), Shape{static_cast<Index>(labels.size())});
  std::size_t end = text.size();
  text.resize(end + 4 * width * labels.size(), '\0');
  for (const std::string& label : labels) {
    points.clear();
    decode_utf8(label, &points);
    if (!points.empty()) std::memcpy(text.data() + end, points.data(), 4 * points.size());
    end += 4 * width;
  }
  return text;
}

}  // namespace cotangent::detail
