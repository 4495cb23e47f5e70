#include "nn/pickle.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limber {
namespace {

using namespace std::string_literals;

PickleValue read(const std::string& bytes) {
  PickleSource source;
  source.bytes = std::as_bytes(std::span<const char>(bytes));
  source.name = "x.pth";
  return read_pickle(source).first;
}

std::string error(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const InputError& e) {
    return e.what();
  }
  return "(no error)";
}

TEST(Pickle, ReadsPlainValuesOfAllProtocols) {
  EXPECT_EQ(read("I42\n.").integer(), 42);
  EXPECT_EQ(read("L-42L\n.").integer(), -42);
  EXPECT_TRUE(read("I01\n.").boolean());
  EXPECT_EQ(read("\x80\x02J\xfe\xff\xff\xff."s).integer(), -2);
  EXPECT_EQ(read("\x80\x02\x8a\x05\x00\x00\x00\x00\x01."s).integer(), int64_t(1) << 32);
  EXPECT_EQ(read("\x80\x02\x8a\x01\xff."s).integer(), -1);
  EXPECT_EQ(read("\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00."s).real(), 1.5);
  EXPECT_EQ(read("\x80\x04\x8c\x02hi\x94."s).text(), "hi");
  const PickleValue dict = read("(dp0\nVkey\np1\n(lp2\nI1\naI2\nas.");
  EXPECT_EQ(dict.at("key").size(), 2u);
  EXPECT_EQ(dict.at("key").at(size_t(1)).integer(), 2);
  EXPECT_EQ(read("\x80\x02K\x01K\x02\x86."s).size(), 2u);
}

TEST(Pickle, SharedContainersStayShared) {
  const PickleValue pair = read("\x80\x02]q\x00h\x00K\x07"s + "a\x86."s);
  EXPECT_EQ(pair.at(size_t(0)).container(), pair.at(size_t(1)).container());
  EXPECT_EQ(pair.at(size_t(0)).size(), 1u);
}

TEST(Pickle, NothingButCheckpointPartsIsAllowed) {
  EXPECT_EQ(error("cos\nsystem\n(S'echo'\ntR."),
            "x.pth: pickle at offset 0: global os.system is not allowed in a checkpoint");
  EXPECT_EQ(error("\x80\x04\x8c\x05posix\x8c\x06system\x93."s),
            "x.pth: pickle at offset 17: global posix.system is not allowed in a checkpoint");
  EXPECT_EQ(error("\x80\x02"
                  "c__builtin__\neval\nX\x01\x00\x00\x00"s +
                  "1\x85R."),
            "x.pth: pickle at offset 2: global __builtin__.eval is not allowed in a checkpoint");
  EXPECT_NE(error("(ios\nsystem\n.").find("global os.system is not allowed"), std::string::npos);
  EXPECT_NE(error("cbuiltins\ngetattr\n(cbuiltins\ndict\nVx\ntR.")
                .find("global builtins.getattr is not allowed"),
            std::string::npos);
  EXPECT_NE(error("cbuiltins\nlist\n(tR.").find("a call of builtins.list is not allowed"),
            std::string::npos);
  EXPECT_NE(error("ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\nlist\nNNNtR.")
                .find("another function"),
            std::string::npos);
  EXPECT_NE(error("\x80\x02\x82\x01."s).find("operation 130"), std::string::npos);
  EXPECT_NE(error("]Vx\nb.").find("a state for a list"), std::string::npos);
  EXPECT_NE(error("Vx\n(tR.").find("a call of a str"), std::string::npos);
}

TEST(Pickle, LengthsAreCheckedAgainstTheInput) {
  EXPECT_NE(error("\x80\x02X\xff\xff\xff\xff"s).find("needs 4294967295 bytes where 0 are left"),
            std::string::npos);
  EXPECT_NE(
      error("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff"s).find("needs 18446744073709551615"),
      std::string::npos);
  EXPECT_NE(error("\x80\x02\x8b\xff\xff\xff\x7f"s).find("an integer of 2147483647 bytes"),
            std::string::npos);
  EXPECT_NE(error("").find("needs 1 bytes where 0 are left"), std::string::npos);
  EXPECT_NE(error("\x80\x02K").find("needs 1 bytes"), std::string::npos);
  EXPECT_NE(error("I1").find("a line without an end"), std::string::npos);
  EXPECT_NE(error("\x80\x09.").find("pickle protocol 9"), std::string::npos);
}

TEST(Pickle, StackAndMemoAreChecked) {
  EXPECT_NE(error("\x80\x02.").find("ends with 0 values"), std::string::npos);
  EXPECT_NE(error("NN.").find("ends with 2 values"), std::string::npos);
  EXPECT_NE(error("N(a.").find("takes a value from an empty stack"), std::string::npos);
  EXPECT_NE(error("t.").find("no mark"), std::string::npos);
  EXPECT_NE(error("h\x05.").find("memo entry 5 was never made"), std::string::npos);
  EXPECT_NE(error("}(Nu.").find("a dict key without a value"), std::string::npos);
  EXPECT_NE(error("}]Ns.").find("a list as the key of a dict"), std::string::npos);
  EXPECT_NE(error("NNa.").find("cannot append to a None"), std::string::npos);
}

TEST(Pickle, CirclesAndDepthAreErrors) {
  EXPECT_NE(error("]q\x01h\x01"s + "a.").find("holds itself"), std::string::npos);
  EXPECT_NE(error("}q\x01Vx\nh\x01s."s).find("holds itself"), std::string::npos);
  EXPECT_NE(error("]q\x01h\x01\x85"s + "a.").find("holds itself"), std::string::npos);
  EXPECT_NE(error("N" + std::string(100000, '\x85') + ".").find("nested deeper"),
            std::string::npos);
  // Nested deeply, then thrown away.
  EXPECT_NE(error("N" + std::string(100000, '\x85') + "0N.").find("nested deeper"),
            std::string::npos);
  EXPECT_EQ(read("N" + std::string(100, '\x85') + ".").size(), 1u);
  EXPECT_NE(error(std::string(1100000, ')') + ".").find("more than 1048576 values"),
            std::string::npos);
}

TEST(Pickle, StoredTensorsStayInsideTheirStorage) {
  StoredTensor t;
  t.storage = std::make_shared<StoredStorage>();
  t.storage->numel = 12;
  const auto problem = [&](int64_t offset, std::vector<int64_t> shape,
                           std::vector<int64_t> strides) -> std::string {
    t.offset = offset;
    t.shape = std::move(shape);
    t.strides = std::move(strides);
    try {
      t.validate("");
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(problem(0, {3, 4}, {4, 1}), "");
  EXPECT_EQ(problem(12, {0}, {1}), "");
  EXPECT_EQ(problem(11, {}, {}), "");
  EXPECT_EQ(problem(0, {5, 3}, {0, 1}), "");
  const std::string outside = "tensor reaches outside of its storage of 12 elements";
  EXPECT_EQ(problem(1, {3, 4}, {4, 1}), outside);
  EXPECT_EQ(problem(12, {}, {}), outside);
  EXPECT_EQ(problem(-1, {1}, {1}), outside);
  EXPECT_EQ(problem(0, {INT64_MAX, INT64_MAX}, {1, 1}), outside);
  EXPECT_EQ(problem(0, {INT64_MAX, 2}, {0, 0}), outside);
  EXPECT_NE(problem(0, {1 << 20, 1 << 20}, {0, 0}).find("over a storage of 12"), std::string::npos);
  EXPECT_NE(problem(0, {2}, {-1}).find("stride -1"), std::string::npos);
  EXPECT_NE(problem(0, {2}, {}).find("1 extents and 0 strides"), std::string::npos);
}

TEST(Pickle, HalfPrecisionWidensExactly) {
  EXPECT_EQ(half_to_float(0x3C00), 1.0f);
  EXPECT_EQ(half_to_float(0xC000), -2.0f);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0x03FF), 1023 * 0x1p-24f);
  EXPECT_EQ(half_to_float(0x7BFF), 65504.0f);
  EXPECT_EQ(half_to_float(0xFC00), -INFINITY);
  EXPECT_TRUE(std::isnan(half_to_float(0x7E00)));
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
  EXPECT_EQ(bfloat16_to_float(0x3FC0), 1.5f);
}

}  // namespace
}  // namespace limber
