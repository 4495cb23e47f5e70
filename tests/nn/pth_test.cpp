#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "nn/pth_reader.h"
#include "nn/pth_writer.h"
#include "nn/zip_file.h"
#include "tests/support/temp_folder.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;

std::string error_of(const std::string& file) {
  try {
    load_pth(file);
  } catch (const InputError& e) {
    return e.what();
  }
  return "(no error)";
}

std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A Python that has PyTorch, or "" when there is none.
const std::string& python() {
  static const std::string found = [] {
    for (const char* name : {"python3", "/usr/bin/python3"})
      if (std::system((std::string(name) + " -c 'import torch, numpy' 2>/dev/null").c_str()) == 0)
        return std::string(name);
    return std::string();
  }();
  return found;
}

std::string run_tool(const std::string& arguments) {
  const std::string command =
      python() + " " LIMBER_SOURCE_DIR "/tests/tools/torch_checkpoints.py " + arguments;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

void expect_numbers(const Tensor& t, const nlohmann::json& expected, const std::string& name) {
  ASSERT_EQ(size_t(t.numel()), expected.at("values").size()) << name;
  const std::vector<int64_t> shape = expected.at("shape");
  EXPECT_EQ(t.shape(), Shape(std::span<const int64_t>(shape))) << name;
  const Tensor wide = t.dtype() == DType::f32 ? t.to(DType::f64) : t;
  for (int64_t i = 0; i < t.numel(); ++i) {
    const nlohmann::json& e = expected["values"][size_t(i)];
    if (wide.dtype() == DType::f64) {
      const double want = e.is_string() ? std::stod(e.get<std::string>()) : e.get<double>();
      const double got = wide.data<double>()[i];
      if (std::isnan(want)) {
        EXPECT_TRUE(std::isnan(got)) << name << " " << i;
      } else {
        EXPECT_EQ(got, want) << name << " " << i;
        EXPECT_EQ(std::signbit(got), std::signbit(want)) << name << " " << i;
      }
      continue;
    }
    int64_t got = 0;
    switch (t.dtype()) {
      case DType::i64:
        got = t.data<int64_t>()[i];
        break;
      case DType::i32:
        got = t.data<int32_t>()[i];
        break;
      case DType::u8:
        got = t.data<uint8_t>()[i];
        break;
      default:
        got = t.data<bool>()[i];
    }
    EXPECT_EQ(got, e.get<int64_t>()) << name << " " << i;
  }
}

const PickleValue& by_path(const PickleValue& tree, const std::string& path) {
  const PickleValue* at = &tree;
  std::istringstream names(path.substr(1));
  for (std::string name; std::getline(names, name, '/');) {
    if (!at->is(Kind::dict)) {
      at = &at->at(size_t(std::stoul(name)));
      continue;
    }
    const PickleValue* next = at->find(name);
    for (const auto& [key, value] : at->items())
      if (key.is(Kind::integer) && std::to_string(key.integer()) == name) next = &value;
    if (!next) {
      ADD_FAILURE() << "no " << path;
      return *at;
    }
    at = next;
  }
  return *at;
}

void expect_meta(const PickleValue& meta) {
  EXPECT_EQ(meta.at("epoch").integer(), 3);
  EXPECT_EQ(meta.at("iter").integer(), 1000000000000);
  EXPECT_EQ(meta.at("big").integer(), -(int64_t(1) << 40));
  EXPECT_EQ(meta.at("negative").integer(), -5);
  EXPECT_EQ(meta.at("lr").real(), 1e-3);
  EXPECT_EQ(meta.at("text").text(), "h\xC3\xA9 \xE2\x9C\x93");
  EXPECT_TRUE(meta.at("none").is(Kind::none));
  EXPECT_FALSE(meta.at("flags").at(size_t(1)).boolean());
  EXPECT_EQ(meta.at("pair").at(size_t(1)).text(), "x");
  EXPECT_EQ(meta.at("triple").size(), 3u);
  EXPECT_EQ(meta.at("empty").size(), 0u);
  EXPECT_EQ(meta.at("raw").text(), std::string("\0\xFF\x80"
                                               "a",
                                               4));
  EXPECT_EQ(meta.at("names").size(), 2u);
  EXPECT_EQ(meta.at("size").at(size_t(1)).integer(), 3);
  EXPECT_EQ(meta.at("dtype").text(), "torch.float32");
  EXPECT_EQ(meta.at("device").text(), "cpu");
  EXPECT_EQ(meta.at("keys").items()[1].first.size(), 2u);
  EXPECT_EQ(meta.at("scalar").real(), 2.5);
  EXPECT_EQ(meta.at("whole").integer(), -7);
  EXPECT_TRUE(meta.at("flag").boolean());
  EXPECT_EQ(meta.at("array").tensor().data<float>()[5], 5.0f);
  EXPECT_EQ(meta.at("column").tensor().data<int64_t>()[1], 1);
  EXPECT_EQ(meta.at("counter").items()[1].first.integer(), 200);
  EXPECT_EQ(meta.at("default").at("a").size(), 1u);
}

TEST(Pth, ReadsWhatPyTorchWritesInAllFormsAndTypes) {
  if (python().empty()) GTEST_SKIP() << "no Python with PyTorch on this machine";
  TempFolder folder;
  run_tool("make " + folder.path());
  const auto expected = nlohmann::json::parse(slurp(folder.path("expected.json")));
  for (const char* file : {"zip.pth", "protocol4.pth", "stream.pth"}) {
    SCOPED_TRACE(file);
    const PickleValue tree = load_pth(folder.path(file));
    size_t compared = 0;
    for (const auto& [path, numbers] : expected.items()) {
      expect_numbers(by_path(tree, path).tensor(true), numbers, path);
      ++compared;
    }
    EXPECT_GT(compared, 30u);
    expect_meta(tree.at("meta"));
    const PickleValue& state = tree.at("state_dict");
    EXPECT_EQ(state.at("f16").tensor().dtype(), DType::f16);
    EXPECT_EQ(state.at("bf16").tensor().dtype(), DType::bf16);
    EXPECT_EQ(state.at("i8").tensor().dtype(), DType::i32);
    EXPECT_TRUE(state.at("parameter").stored()->is_parameter);
    EXPECT_EQ(state.at("base").stored()->storage, state.at("view").stored()->storage);
    // Cut anywhere, it is an error and nothing worse.
    const std::string whole = slurp(folder.path(file));
    for (size_t cut = 0; cut < whole.size(); cut += 1 + whole.size() / 97)
      EXPECT_NE(error_of(folder.write("cut.pth", whole.substr(0, cut))), "(no error)") << cut;
  }
}

PickleValue sample_tree() {
  PickleValue state = PickleValue::dict();
  state.set("f32", Tensor::from<float>(std::vector<float>{1.5f, -0.0f, 3e-39f, INFINITY}, {2, 2}));
  state.set("f64", Tensor::from<double>(std::vector<double>{0.1}, {}));
  state.set("i64", Tensor::from<int64_t>(std::vector<int64_t>{INT64_MIN, 3}, {2}));
  state.set("i32", Tensor::from<int32_t>(std::vector<int32_t>{-7}, {1, 1, 1}));
  state.set("u8", Tensor::from<uint8_t>(std::vector<uint8_t>{255}, {1}));
  state.set("bool", Tensor::full({3}, 1, DType::boolean));
  state.set("empty", Tensor::zeros({0, 4}));
  PickleValue meta = PickleValue::dict();
  meta.set("epoch", 3);
  meta.set("big", int64_t(-5000000000));
  meta.set("lr", 1e-3);
  meta.set("none", PickleValue());
  meta.set("text", "h\xC3\xA9");
  meta.set("raw", PickleValue(Kind::bytes, "\x80\xFF"));
  meta.set("pair", PickleValue::tuple({PickleValue(true), PickleValue(-300)}));
  meta.set(7, "seven");
  PickleValue set = PickleValue::set();
  set.push_back("only");
  meta.set("set", set);
  const Tensor once = Tensor::full({2}, 4);
  PickleValue same = PickleValue::list();
  same.push_back(once);
  same.push_back(once);
  PickleValue tree = PickleValue::dict();
  tree.set("meta", meta);
  tree.set("again", meta);
  tree.set("state_dict", state);
  tree.set("same", same);
  return tree;
}

TEST(Pth, WritesWhatItReads) {
  TempFolder folder;
  save_pth(folder.path("a.pth"), sample_tree());
  const PickleValue back = load_pth(folder.path("a.pth"));
  EXPECT_EQ(back.at("meta").container(), back.at("again").container());
  EXPECT_EQ(back.at("meta").at("big").integer(), -5000000000);
  EXPECT_EQ(back.at("meta").at("raw").text(), "\x80\xFF");
  EXPECT_EQ(back.at("meta").at("set").at(size_t(0)).text(), "only");
  const PickleValue& state = back.at("state_dict");
  EXPECT_EQ(state.items().size(), 7u);
  EXPECT_EQ(state.at("f32").tensor().data<float>()[2], 3e-39f);
  EXPECT_EQ(state.at("f64").tensor().shape(), Shape{});
  EXPECT_EQ(state.at("i64").tensor().data<int64_t>()[0], INT64_MIN);
  EXPECT_EQ(state.at("empty").tensor().shape(), (Shape{0, 4}));
  EXPECT_EQ(back.at("same").at(size_t(0)).stored()->storage,
            back.at("same").at(size_t(1)).stored()->storage);
  // Written again from the file that is mapped, onto itself.
  save_pth(folder.path("a.pth"), back);
  EXPECT_EQ(load_pth(folder.path("a.pth")).at("state_dict").at("u8").tensor().data<uint8_t>()[0],
            255);
  EXPECT_THROW(save_pth(folder.path("no/such/folder.pth"), back), Error);
}

TEST(Pth, PyTorchReadsWhatIsWritten) {
  if (python().empty()) GTEST_SKIP() << "no Python with PyTorch on this machine";
  TempFolder folder;
  const PickleValue tree = sample_tree();
  save_pth(folder.path("a.pth"), tree);
  const auto dumped = nlohmann::json::parse(run_tool("dump " + folder.path("a.pth")));
  EXPECT_EQ(dumped.at("tensors").size(), 9u);
  for (const auto& [path, numbers] : dumped.at("tensors").items())
    expect_numbers(by_path(tree, path).tensor(), numbers, path);
  EXPECT_TRUE(dumped.at("shared").get<bool>());
  EXPECT_EQ(dumped.at("meta").get<std::string>(),
            "{'epoch': 3, 'big': -5000000000, 'lr': 0.001, 'none': None, 'text': 'h\xC3\xA9', "
            "'raw': b'\\x80\\xff', 'pair': (True, -300), 7: 'seven', 'set': {'only'}}");
}

TEST(Pth, FindsTheStateDictInItsWrappers) {
  const auto tensors = [](const std::string& prefix) {
    PickleValue dict = PickleValue::dict();
    dict.set(prefix + "a", Tensor::full({1}, 1));
    dict.set(prefix + "b", Tensor::full({1}, 2));
    return dict;
  };
  const auto names = [](const PickleValue& dict) {
    std::string out;
    for (const auto& item : dict.items()) out += item.first.text() + " ";
    return out;
  };
  const auto wrap = [](const char* key, const PickleValue& value) {
    PickleValue dict = PickleValue::dict();
    dict.set(key, value);
    return dict;
  };
  EXPECT_EQ(names(find_state_dict(tensors(""))), "a b ");
  EXPECT_EQ(names(find_state_dict(tensors("module."))), "a b ");
  EXPECT_EQ(names(find_state_dict(wrap("state_dict", tensors("x.")))), "x.a x.b ");
  EXPECT_EQ(names(find_state_dict(wrap("model", wrap("state_dict", tensors(""))))), "a b ");
  PickleValue mixed = tensors("module.");
  mixed.set("steps", Tensor::full({1}, 9, DType::i64));
  mixed.set("version", 3);
  EXPECT_EQ(names(find_state_dict(wrap("state_dict", mixed))), "module.a module.b steps ");
  EXPECT_EQ(names(find_state_dict(wrap("ema_state_dict", mixed), true)), "a b ");
  EXPECT_THROW(find_state_dict(wrap("state_dict", tensors("")), true), InputError);
  EXPECT_THROW(find_state_dict(wrap("meta", tensors(""))), InputError);
  EXPECT_THROW(find_state_dict(PickleValue::list()), InputError);
}

TEST(Pth, DamagedArchivesAreErrors) {
  TempFolder folder;
  save_pth(folder.path("a.pth"), sample_tree());
  const std::string whole = slurp(folder.path("a.pth"));
  EXPECT_NE(error_of(folder.path("missing.pth")).find("cannot be read"), std::string::npos);
  EXPECT_NE(error_of(folder.write("b.pth", "")).find("no PyTorch checkpoint"), std::string::npos);
  EXPECT_NE(error_of(folder.write("b.pth", "PK\x03\x04 and then no more than this"))
                .find("its end record is missing"),
            std::string::npos);
  // Bytes of the pickle and the directory changed in turn: an error or a tree, no crash.
  for (size_t i = 0; i < whole.size(); i += 5) {
    if (i > 1500 && i + 1500 < whole.size()) continue;
    std::string changed = whole;
    changed[i] = char(changed[i] ^ 0xFF);
    const std::string file = folder.write("c.pth", changed);
    try {
      const PickleValue tree = load_pth(file);
      find_state_dict(tree);
    } catch (const InputError&) {
    }
  }
}

TEST(Zip, ChecksumIsTheStandardOne) {
  const std::string text = "123456789 and some more bytes";
  const auto bytes = std::as_bytes(std::span<const char>(text));
  EXPECT_EQ(crc32(bytes.first(9)), 0xCBF43926u);
  EXPECT_EQ(crc32(bytes.first(0)), 0u);
}

}  // namespace
}  // namespace limber
