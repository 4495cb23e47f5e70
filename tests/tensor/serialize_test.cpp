#include "tensor/serialize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <fstream>

#include "tensor/half.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

// A file of this header and so many bytes of data.
std::string write_raw(const TempFolder& folder, const std::string& header, size_t data) {
  const std::string path = folder.path("raw.safetensors");
  std::ofstream out(path, std::ios::binary);
  const uint64_t length = header.size();
  out.write(reinterpret_cast<const char*>(&length), 8);
  out << header << std::string(data, '\1');
  return path;
}

std::string error_of(const std::string& path) {
  try {
    const SafetensorsFile file(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, RoundTripOfAllTypes) {
  const TempFolder folder;
  Tensor half = Tensor::empty({3}, DType::f16);
  std::memset(half.raw(), 0x3c, half.bytes());
  Tensor flag = Tensor::empty({2}, DType::boolean);
  flag.data<bool>()[0] = true;
  flag.data<bool>()[1] = false;
  const std::vector<NamedTensor> tensors{{"u8", Tensor::full({5}, 7, DType::u8)},
                                         {"a.weight", test::uniform({2, 3, 1, 4}, -1, 1, 1)},
                                         {"wide", test::uniform({3}, -1, 1, 2, DType::f64)},
                                         {"scalar", Tensor::full({}, -9, DType::i64)},
                                         {"empty", Tensor::empty({0, 4})},
                                         {"half", half},
                                         {"flag", flag},
                                         {"i32", Tensor::full({1}, -5, DType::i32)}};
  write_safetensors(folder.path("all"), tensors, {{"text", "line \"one\"\n\xc3\xa9"}});
  const SafetensorsFile file(folder.path("all"));
  EXPECT_EQ(file.metadata().at("text"), "line \"one\"\n\xc3\xa9");
  ASSERT_EQ(file.entries().size(), tensors.size());
  for (const NamedTensor& t : tensors) {
    const Tensor back = file.read(t.name);
    ASSERT_EQ(back.dtype(), t.value.dtype()) << t.name;
    ASSERT_EQ(back.shape(), t.value.shape()) << t.name;
    EXPECT_EQ(std::memcmp(back.raw(), t.value.raw(), back.bytes()), 0) << t.name;
  }
  for (const auto& e : file.entries()) EXPECT_EQ(e.offset % size_of(e.dtype), 0u) << e.name;
  EXPECT_THROW((void)file.read("nobody"), InputError);
}

TEST(Safetensors, ReadsWhatOthersWrite) {
  const TempFolder folder;
  const std::string path = write_raw(
      folder,
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}   )",
      4);
  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_FLOAT_EQ(widened(file.read("b")).data<float>()[1], from_bf16(0x0101));
}

TEST(Safetensors, RefusesHeadersThatLie) {
  const TempFolder folder;
  const auto refuses = [&](const std::string& header, size_t data, const char* reason) {
    const std::string error = error_of(write_raw(folder, header, data));
    EXPECT_NE(error.find(reason), std::string::npos) << header << "\n -> " << error;
    EXPECT_NE(error.find("raw.safetensors"), std::string::npos) << error;
  };
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  refuses("{" + a + "}", 4, "lie outside");
  refuses("{" + a + "}", 9, "1 unused bytes at the end");
  refuses("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", 8, "b: overlaps");
  refuses("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[9,13]}})", 13, "unused");
  refuses("{" + a + "," + a + "}", 8, "comes twice");
  refuses(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "needs 12");
  refuses(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "whole number");
  refuses(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "whole number");
  refuses(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "lie outside");
  refuses(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "two numbers");
  refuses(R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", 8, "F8_E4M3");
  refuses(R"({"a":{"dtype":3,"shape":[2],"data_offsets":[0,8]}})", 8, "dtype");
  refuses(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "shape");
  refuses(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,8],"data_offsets":[0,8]}})", 8,
          "7 dimensions");
  refuses(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8,
          "larger than memory");
  refuses(R"({"__metadata__":{"k":1}})", 0, "a string expected");
  refuses(R"({"a":[]})", 0, "object expected");
  refuses("[]", 0, "not a JSON object");
  refuses("{\"a\":", 0, "not JSON");
}

TEST(Safetensors, RefusesWhatIsNoSuchFile) {
  const TempFolder folder;
  EXPECT_NE(error_of(folder.path("absent")).find("cannot be read"), std::string::npos);
  EXPECT_NE(error_of(folder.path()).find("not a file"), std::string::npos);
  std::ofstream(folder.path("short")) << "1234567";
  EXPECT_NE(error_of(folder.path("short")).find("7 bytes"), std::string::npos);
  std::ofstream(folder.path("text")) << "this is some text";
  EXPECT_NE(error_of(folder.path("text")).find("not a safetensors file"), std::string::npos);
}

// Every prefix of a good file is refused, and no flipped byte of its header crashes the reader.
TEST(Safetensors, DamagedFilesAreRefused) {
  const TempFolder folder;
  write_safetensors(folder.path("good"), {{"a", Tensor::zeros({2, 3})}, {"b", Tensor::zeros({})}});
  std::ifstream in(folder.path("good"), std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  const auto check_file = [&](const std::string& bytes) {
    std::ofstream(folder.path("bad"), std::ios::binary) << bytes;
    return error_of(folder.path("bad"));
  };
  EXPECT_EQ(check_file(good), "");
  for (size_t n = 0; n < good.size(); ++n) ASSERT_NE(check_file(good.substr(0, n)), "") << n;
  for (size_t n = 0; n < good.size() - 28; ++n)
    for (const int flip : {1, 32, 128}) {
      std::string bytes = good;
      bytes[n] = char(bytes[n] ^ flip);
      (void)check_file(bytes);
    }
}

TEST(Half, KnownValues) {
  EXPECT_EQ(from_f16(0x3c00), 1.0f);
  EXPECT_EQ(from_f16(0xc000), -2.0f);
  EXPECT_EQ(from_f16(0x7bff), 65504.0f);
  EXPECT_EQ(from_f16(0x0400), 0x1p-14f);
  EXPECT_EQ(from_f16(0x0001), 0x1p-24f);
  EXPECT_EQ(from_f16(0x83ff), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::signbit(from_f16(0x8000)));
  EXPECT_EQ(from_f16(0x7c00), INFINITY);
  EXPECT_TRUE(std::isnan(from_f16(0x7e00)));
  EXPECT_EQ(from_bf16(0x3f80), 1.0f);
}

}  // namespace
}  // namespace limber
