// Readers of outside files on damaged input: whatever the bytes, a reader returns or throws
// limber::Error. Anything else, and under the sanitizers any stray read, fails. Each damaged file
// follows from its number, so that a failure repeats; LIMBER_DAMAGES sets how many there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "data/image.h"
#include "data/warp.h"
#include "nn/pth_reader.h"
#include "nn/pth_writer.h"
#include "pose/config/config.h"
#include "tensor/random.h"
#include "tensor/serialize.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// One to four wounds: a bit turned, a byte set to an extreme, a piece cut out, repeated or moved,
// the end cut off.
std::string damaged(std::string text, uint64_t number) {
  Random random(number);
  const auto below = [&](size_t n) { return size_t(random.uniform() * double(n)); };
  for (size_t wounds = 1 + below(4); wounds > 0 && !text.empty(); --wounds) {
    const size_t at = below(text.size()),
                 length = 1 + below(std::min<size_t>(16, text.size() - at));
    switch (below(6)) {
      case 0:
        text[at] = char(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text[at] = "\x00\xff\x7f\x80{[\"9"[below(8)];
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      case 5:
        if (below(4) == 0) text.resize(at);
        break;
    }
  }
  return text;
}

// `read` sees a file of this name with the damaged content.
void read_damaged(const std::string& name, const std::string& content,
                  const std::function<void(const std::string&)>& read) {
  const char* wanted = std::getenv("LIMBER_DAMAGES");
  const int runs = wanted != nullptr ? std::atoi(wanted) : 150;
  TempFolder folder;
  int accepted = 0;
  ASSERT_NO_THROW(read(folder.write(name, content))) << "the undamaged file";
  for (int i = 0; i < runs; ++i) {
    const std::string file = folder.write(name, damaged(content, uint64_t(i)));
    try {
      read(file);
      ++accepted;
    } catch (const Error&) {
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ", damage " << i << ": " << error.what();
    }
  }
  EXPECT_LT(accepted, runs) << "no damage was noticed";
}

constexpr const char* kJson = R"({
  "model": {"type": "TopdownPoseEstimator", "backbone": {"depth": 50, "strides": [1, 2.5e-3, -2]},
            "text": "a\n\u00e9\"b", "none": null, "yes": true},
  "list": [[1, 2], {"a": []}]
})";

constexpr const char* kPython = R"(
# comment
width, height = 192, 256
pipeline = [dict(type='LoadImage'), dict(type='Resize', scale=(width, height // 2))]
names = [f'layer{i}.{n}' for i in range(3) for n in ('a', "b") if i != 1]
model = dict(
    type='Net', depth=50 if width > 3 else 18,
    norm_cfg=dict(type='BN', requires_grad=True), rate=2.5e-3 * 4, **dict(a=1))
model['extra'] = {'x': [1, 2][0], 'y': None, 'z': -width ** 2 % 7}
)";

TEST(DamagedFiles, JsonConfigs) {
  read_damaged("c.json", kJson, [](const auto& f) { load_config(f); });
}

TEST(DamagedFiles, PythonConfigs) {
  read_damaged("c.py", kPython, [](const auto& f) { load_config(f); });
}

TEST(DamagedFiles, Safetensors) {
  TempFolder folder;
  const std::string file = folder.path("w.safetensors");
  write_safetensors(file, {{"a.weight", test::uniform({2, 3}, -1, 1, 1)},
                           {"b", Tensor::zeros({}, DType::i64)},
                           {"c", test::uniform({0, 4}, -1, 1, 1)}});
  read_damaged("w.safetensors", slurp(file), [](const std::string& name) {
    const SafetensorsFile opened(name);
    for (const auto& entry : opened.entries()) opened.read(entry);
  });
}

TEST(DamagedFiles, PyTorchCheckpoints) {
  TempFolder folder;
  PickleValue weights = PickleValue::dict(), tree = PickleValue::dict();
  weights.set("a.weight", test::uniform({2, 3}, -1, 1, 1));
  weights.set("b", Tensor::zeros({4}, DType::i64));
  tree.set("state_dict", weights);
  tree.set("meta", PickleValue::tuple({1, 2.5, "text", true, PickleValue()}));
  save_pth(folder.path("w.pth"), tree);
  read_damaged("w.pth", slurp(folder.path("w.pth")), [](const std::string& name) {
    const PickleValue states = find_state_dict(load_pth(name));
    for (const auto& [key, value] : states.items())
      if (value.is(PickleValue::Kind::tensor)) value.tensor();
  });
}

std::string error_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Whole and in part: the same errors or the same pixels.
TEST(DamagedFiles, Jpegs) {
  const Tensor image = test::uniform({60, 75, 3}, 0, 255, 1);
  Tensor bytes = Tensor::empty(image.shape(), DType::u8);
  std::ranges::copy(image.span<float>(), bytes.data<uint8_t>());
  for (const int quality : {85, 95}) {  // 4:2:0 and 4:4:4
    const std::vector<uint8_t> good = encode_jpeg(bytes, quality);
    read_damaged("p.jpg", {good.begin(), good.end()}, [](const std::string& name) {
      Tensor whole, part;
      const std::string error = error_of([&] { whole = read_image(name); });
      Rectangle r;
      const std::string part_error = error_of([&] {
        const ImageFile file(name);
        const auto [W, H] = file.size();
        r = {W / 3, H / 3, W / 2, H / 2};
        const ImageFile::Part got = file.part(r);
        part = crop_image(got.pixels, r.left - got.left, r.top - got.top, {r.width, r.height});
      });
      EXPECT_EQ(part_error, error);
      check_input(error.empty(), error);
      whole = crop_image(whole, r.left, r.top, {r.width, r.height});
      EXPECT_TRUE(std::ranges::equal(part.span<uint8_t>(), whole.span<uint8_t>()));
    });
  }
}

}  // namespace
}  // namespace limber
