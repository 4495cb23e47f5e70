#include "pose/report/pose_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace limber {
namespace {

// Turns with the pointer, plays with the button; the floor is a grid under the lowest point.
constexpr const char* kScript = R"js(
function limberPoses(id, poses, links) {
  const box = document.getElementById(id), canvas = box.querySelector('canvas');
  const slider = box.querySelector('input'), button = box.querySelector('button');
  const g = canvas.getContext('2d');
  let yaw = 0.6, pitch = 0.2, zoom = 1, timer = null, down = null;
  let low = [1e9, 1e9, 1e9], high = [-1e9, -1e9, -1e9];
  for (const pose of poses) for (const p of pose) for (let d = 0; d < 3; ++d) {
    low[d] = Math.min(low[d], p[d]); high[d] = Math.max(high[d], p[d]);
  }
  const middle = low.map((v, d) => (v + high[d]) / 2);
  const size = Math.max(...low.map((v, d) => high[d] - v), 1e-9);
  function place(p) {
    const x = p[0] - middle[0], y = p[1] - middle[1], z = p[2] - middle[2];
    const a = Math.cos(yaw) * x + Math.sin(yaw) * z, b = Math.cos(yaw) * z - Math.sin(yaw) * x;
    const c = Math.cos(pitch) * y - Math.sin(pitch) * b, s = zoom * 0.72 * canvas.height / size;
    return [canvas.width / 2 + s * a, canvas.height / 2 + s * c,
            Math.cos(pitch) * b + Math.sin(pitch) * y];
  }
  function line(p, q, colour, width) {
    const a = place(p), b = place(q);
    g.strokeStyle = colour; g.lineWidth = width; g.lineCap = 'round';
    g.beginPath(); g.moveTo(a[0], a[1]); g.lineTo(b[0], b[1]); g.stroke();
  }
  function draw() {
    g.clearRect(0, 0, canvas.width, canvas.height);
    const r = size * 0.6;
    for (let i = -3; i <= 3; ++i) {
      const t = r * i / 3, y = high[1];
      line([middle[0] + t, y, middle[2] - r], [middle[0] + t, y, middle[2] + r], '#8886', 1);
      line([middle[0] - r, y, middle[2] + t], [middle[0] + r, y, middle[2] + t], '#8886', 1);
    }
    const pose = poses[slider.value];
    const far = l => place(pose[l[0]])[2] + place(pose[l[1]])[2];
    for (const l of [...links].sort((a, b) => far(b) - far(a)))
      line(pose[l[0]], pose[l[1]], l[2], 5);
    for (const p of pose) {
      const a = place(p);
      g.fillStyle = '#333'; g.beginPath(); g.arc(a[0], a[1], 3, 0, 7); g.fill();
    }
    box.querySelector('span').textContent = (+slider.value + 1) + ' / ' + poses.length;
  }
  canvas.onpointerdown = e => { down = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); };
  canvas.onpointerup = () => { down = null; };
  canvas.onpointermove = e => {
    if (!down) return;
    yaw -= (e.clientX - down[0]) * 0.01;
    pitch = Math.max(-1.5, Math.min(1.5, pitch + (e.clientY - down[1]) * 0.01));
    down = [e.clientX, e.clientY]; draw();
  };
  canvas.onwheel = e => { e.preventDefault(); zoom *= Math.exp(-e.deltaY * 0.001); draw(); };
  slider.oninput = draw;
  button.onclick = () => {
    if (timer) { clearInterval(timer); timer = null; button.textContent = 'play'; return; }
    button.textContent = 'stop';
    timer = setInterval(() => { slider.value = (+slider.value + 1) % poses.length; draw(); }, 40);
  };
  draw();
}
)js";

}  // namespace

std::string pose_view(const Tensor& poses, const DatasetMeta& meta, const std::string& id) {
  check(poses.rank() == 3 && poses.size(2) == 3 && poses.size(0) > 0, "pose_view: poses ",
        poses.shape(), ", (T, K, 3) is wanted");
  check(!id.empty() && std::ranges::all_of(id, [](unsigned char c) { return std::isalnum(c); }),
        "pose_view: \"", id, "\" is no name of letters and digits");
  const int64_t T = poses.size(0), K = poses.size(1);
  std::string numbers, links;
  const float* p = poses.data<float>();
  for (int64_t t = 0; t < T; ++t) {
    numbers += t == 0 ? "[" : ",[";
    for (int64_t k = 0; k < K; ++k, p += 3) {
      const auto fine = [](float v) { return std::isfinite(v) ? v : 0.0f; };
      numbers += fmt::format("{}[{:.5g},{:.5g},{:.5g}]", k == 0 ? "" : ",", fine(p[0]), fine(p[1]),
                             fine(p[2]));
    }
    numbers += "]";
  }
  for (size_t l = 0; l < meta.skeleton_links.size(); ++l) {
    const auto& [a, b] = meta.skeleton_links[l];
    if (a >= K || b >= K) continue;
    const Rgb c = l < meta.skeleton_link_colors.size() ? meta.skeleton_link_colors[l] : Rgb{};
    links += fmt::format("{}[{},{},'#{:02x}{:02x}{:02x}']", links.empty() ? "" : ",", a, b, c[0],
                         c[1], c[2]);
  }
  return fmt::format(
      "<div id=\"{0}\"><canvas width=\"640\" height=\"480\" style=\"border:1px solid #8886;"
      "touch-action:none;cursor:grab\"></canvas><br><button>play</button> <input type=\"range\" "
      "min=\"0\" max=\"{1}\" value=\"0\" style=\"width:480px\"> <span></span></div>\n<script>{2}\n"
      "limberPoses('{0}',[{3}],[{4}]);</script>\n",
      id, T - 1, kScript, numbers, links);
}

}  // namespace limber
