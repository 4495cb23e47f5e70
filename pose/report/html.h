// A page that needs nothing but itself: text, tables, curves as SVG, pictures inline.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace limber {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x ascending
};

class HtmlPage {
 public:
  explicit HtmlPage(const std::string& title);
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  // The first cell of a row is its name; others are right-aligned. `bars`: the column (from 0)
  // whose numbers in [0, 1] are also drawn as bars, or -1.
  void table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows, int bars = -1);
  // One chart; `log_scale` for values over several decades. Points that are not finite are left
  // out.
  void chart(const std::string& title, const std::vector<Curve>& curves, bool log_scale = false);
  // Pictures side by side. images: u8 (H, W, 3), B, G, R.
  void pictures(const std::vector<std::pair<Tensor, std::string>>& images_and_captions);
  void raw(const std::string& html);  // as it is
  std::string text() const;

 private:
  std::string body_, title_;
};

std::string html_escaped(std::string_view text);
std::string base64(std::span<const uint8_t> bytes);

}  // namespace limber
