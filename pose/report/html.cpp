#include "pose/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/image.h"

namespace limber {
namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em;"
    "color:#1c2430;background:#fbfbf9}h1{font-size:1.7em}h2{margin-top:1.8em;font-size:1.25em;"
    "border-bottom:1px solid #d8d8d2}table{border-collapse:collapse}th,td{padding:3px 12px;"
    "text-align:right;border-bottom:1px solid "
    "#e6e6e0}th:first-child,td:first-child{text-align:left}"
    "figure{display:inline-block;margin:0 10px 14px 0;vertical-align:top}figure img{max-width:100%;"
    "border-radius:4px}figcaption{font-size:12px;color:#5b6470}.bar{display:inline-block;height:"
    "9px;"
    "background:#3a7ca5;margin-left:8px;border-radius:2px}svg{background:#fff;border:1px solid "
    "#e6e6e0;margin:0 12px 12px 0}@media(prefers-color-scheme:dark){body{background:#15181d;"
    "color:#d7dbe0}th,td,h2{border-color:#333a44}svg{background:#1b2027;border-color:#333a44}}";

constexpr std::array<const char*, 6> kColours{"#3a7ca5", "#d1495b", "#66a182",
                                              "#edae49", "#7d5ba6", "#5b6470"};

// Four round numbers from lo to hi.
std::vector<double> ticks(double lo, double hi) {
  const double raw = (hi - lo) / 4, magnitude = std::pow(10, std::floor(std::log10(raw)));
  double step = magnitude;
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if (factor * magnitude >= raw) {
      step = factor * magnitude;
      break;
    }
  std::vector<double> marks;
  for (double v = std::ceil(lo / step) * step; v <= hi + 1e-9 * step; v += step) marks.push_back(v);
  return marks;
}

struct Frame {
  double left = 56, top = 26, width = 440, height = 190;
  double x0, x1, y0, y1;
  double x(double v) const { return left + width * (v - x0) / (x1 - x0); }
  double y(double v) const { return top + height * (1 - (v - y0) / (y1 - y0)); }
};

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](size_t j) { return i + j < bytes.size() ? uint32_t(bytes[i + j]) : 0; };
    const uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (int shift : {18, 12, 6, 0}) out += digits[group >> shift & 63];
  }
  for (size_t pad = 0; pad < (3 - bytes.size() % 3) % 3; ++pad) out[out.size() - 1 - pad] = '=';
  return out;
}

HtmlPage::HtmlPage(const std::string& title) : title_(html_escaped(title)) {
  body_ = "<h1>" + title_ + "</h1>\n";
}

void HtmlPage::heading(const std::string& text) {
  body_ += "<h2>" + html_escaped(text) + "</h2>\n";
}
void HtmlPage::paragraph(const std::string& text) {
  body_ += "<p>" + html_escaped(text) + "</p>\n";
}

void HtmlPage::table(const std::vector<std::string>& header,
                     const std::vector<std::vector<std::string>>& rows, int bars) {
  body_ += "<table><tr>";
  for (const std::string& cell : header) body_ += "<th>" + html_escaped(cell) + "</th>";
  body_ += "</tr>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      body_ += "<td>" + html_escaped(row[i]);
      if (int(i) == bars)
        body_ += fmt::format("<span class=bar style=\"width:{:.0f}px\"></span>",
                             80 * std::clamp(std::atof(row[i].c_str()), 0.0, 1.0));
      body_ += "</td>";
    }
    body_ += "</tr>\n";
  }
  body_ += "</table>\n";
}

void HtmlPage::chart(const std::string& title, const std::vector<Curve>& curves, bool log_scale) {
  const auto scaled = [&](double v) { return log_scale ? std::log10(v) : v; };
  Frame f{.x0 = 1e300, .x1 = -1e300, .y0 = 1e300, .y1 = -1e300};
  const auto shown = [&](const std::pair<double, double>& p) {
    return std::isfinite(scaled(p.second));
  };
  for (const Curve& curve : curves)
    for (const auto& p : curve.points) {
      if (!shown(p)) continue;
      f.x0 = std::min(f.x0, p.first);
      f.x1 = std::max(f.x1, p.first);
      f.y0 = std::min(f.y0, scaled(p.second));
      f.y1 = std::max(f.y1, scaled(p.second));
    }
  if (f.x1 < f.x0) return;
  if (f.x1 == f.x0) f.x1 = f.x0 + 1;
  if (f.y1 - f.y0 < 1e-12) f.y1 = f.y0 + std::max(1e-6, std::abs(f.y0) * 0.1);
  std::string svg = fmt::format(
      "<svg width=\"{}\" height=\"{}\" font-size=\"11\" fill=\"#5b6470\">"
      "<text x=\"{}\" y=\"16\" font-size=\"13\">{}</text>",
      f.left + f.width + 14, f.top + f.height + 26, f.left, html_escaped(title));
  for (double v : ticks(f.y0, f.y1))
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}h{2:.1f}\" stroke=\"#8883\"/><text x=\"{3:.1f}\" "
        "y=\"{4:.1f}\" text-anchor=\"end\">{5:.3g}</text>",
        f.left, f.y(v), f.width, f.left - 5, f.y(v) + 4, log_scale ? std::pow(10, v) : v);
  for (double v : ticks(f.x0, f.x1))
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>", f.x(v),
                       f.top + f.height + 16, v);
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* colour = kColours[i % kColours.size()];
    std::string path;
    for (const auto& p : curves[i].points)
      if (shown(p))
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", f.x(p.first),
                            f.y(scaled(p.second)));
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"/>", path,
                       colour);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"16\" text-anchor=\"end\" fill=\"{}\">{}</text>",
                       f.left + f.width - 80 * double(curves.size() - 1 - i), colour,
                       html_escaped(curves[i].name));
  }
  body_ += svg + "</svg>\n";
}

void HtmlPage::pictures(const std::vector<std::pair<Tensor, std::string>>& images) {
  for (const auto& [image, caption] : images)
    body_ += fmt::format(
        "<figure><img src=\"data:image/jpeg;base64,{}\" width=\"{}\" height=\"{}\">"
        "<figcaption>{}</figcaption></figure>\n",
        base64(encode_jpeg(image, 85)), image.size(1), image.size(0), html_escaped(caption));
}

void HtmlPage::raw(const std::string& html) { body_ += html; }

std::string HtmlPage::text() const {
  return fmt::format(
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{}"
      "</style>\n{}</html>\n",
      title_, kStyle, body_);
}

}  // namespace limber
