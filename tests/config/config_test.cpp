#include "pose/config/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/temp_folder.h"

namespace limber {
namespace {

template <class F>
std::string input_error(F&& run) {
  try {
    run();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

TEST(Config, ReadsTypedValues) {
  const Config c = Config::parse(
      R"({"a": 1, "b": 2.5, "c": "x", "d": [[1, 2], [3]], "e": null, "f": true, "g": [0.5, 1]})");
  EXPECT_EQ(c.get<int>("a"), 1);
  EXPECT_EQ(c.get<double>("a"), 1.0);
  EXPECT_EQ(c.get<float>("b"), 2.5f);
  EXPECT_EQ(c.get<std::string>("c"), "x");
  EXPECT_EQ(c.get<std::vector<std::vector<int>>>("d"),
            (std::vector<std::vector<int>>{{1, 2}, {3}}));
  EXPECT_EQ((c.get<std::array<double, 2>>("g")), (std::array<double, 2>{0.5, 1.0}));
  EXPECT_TRUE(c.get<bool>("f"));
  EXPECT_FALSE(c.has("e"));
  EXPECT_TRUE(c.contains("e"));
  EXPECT_EQ(c.get<int>("e", 7), 7);
  EXPECT_EQ(c.get<int>("missing", 8), 8);
  EXPECT_EQ(c.keys(), (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
}

TEST(Config, TypeErrorsNameFilePathAndBothTypes) {
  const Config c = Config::parse(R"({"model": {"depth": 2.5, "n": [1, "x"]}})", "m.json");
  EXPECT_EQ(input_error([&] { c.at("model").get<int>("depth"); }),
            "m.json: model.depth: expected integer, got number with a fraction");
  EXPECT_EQ(input_error([&] { c.at("model").get<std::vector<int>>("n"); }),
            "m.json: model.n.1: expected integer, got string");
  EXPECT_EQ(input_error([&] { c.at("model").get<std::vector<int>>("depth"); }),
            "m.json: model.depth: expected list, got number with a fraction");
  EXPECT_EQ(input_error([&] { c.at("model").at("n").at(2); }),
            "m.json: model.n: no element 2, the list has 2");
  EXPECT_EQ(input_error([&] { c.at("model").at("dept"); }),
            "m.json: model.dept: required key is missing, is \"depth\" meant?");
}

TEST(Config, UnreadKeysAreErrorsWithTheNearestName) {
  const Config c =
      Config::parse(R"({"model": {"backbone": {"type": "X", "dept": 50}}})", "configs/x.json");
  const Config backbone = c.at("model").at("backbone");
  backbone.type();
  backbone.get<int>("depth", 18);
  EXPECT_EQ(input_error([&] { backbone.expect_all_read(); }),
            "configs/x.json: model.backbone.dept: unknown key, did you mean \"depth\"?");
  backbone.get<int>("dept");
  backbone.expect_all_read();
  const Config again = backbone.clone();
  EXPECT_THROW(again.expect_all_read(), InputError);
  again.ignore();
  again.expect_all_read();
}

TEST(Config, JsonErrorsHaveLineAndColumn) {
  EXPECT_TRUE(input_error([] {
                Config::parse("{\n  \"a\": 1,\n  \"b\" 2}", "x.json");
              }).starts_with("x.json: line 3, column 7: syntax error"));
  EXPECT_EQ(input_error([] { Config::parse(R"({"m": {"a": 1, "a": 2}})", "x.json"); }),
            "x.json: m: key \"a\" appears twice");
  EXPECT_THROW(Config::parse(""), InputError);
  EXPECT_THROW(Config::parse("[1] 2"), InputError);
  EXPECT_THROW(Config::parse("[1e999]"), InputError);
  EXPECT_THROW(Config::parse("[18446744073709551615]"), InputError);
  EXPECT_THROW(Config::parse(std::string(100000, '[')), InputError);
  EXPECT_THROW(Config::parse("\"\xff\""), InputError);
}

TEST(Config, SetCopiesAndRenames) {
  Config part = Config::parse(R"({"x": {"y": 1}})");
  Config tree = Config::object();
  tree.set("part", part);
  part.at("x").set("y", Config::value(2));
  EXPECT_EQ(tree.at("part").at("x").get<int>("y"), 1);
  EXPECT_EQ(tree.at("part").at("x").at("y").path(), "part.x.y");
  tree.set_path("part.z.w", Config::value("v"));
  EXPECT_EQ(tree.dump(-1), R"({"part":{"x":{"y":1},"z":{"w":"v"}}})");
  tree.at("part").erase("x");
  EXPECT_EQ(tree.dump(-1), R"({"part":{"z":{"w":"v"}}})");
}

TEST(Config, DumpReadsBackBitForBit) {
  Config c = Config::object();
  c.set("a", Config::value(0.1 + 0.2));
  c.set("b", Config::value(1.0));
  c.set("c", Config::value(std::numeric_limits<double>::infinity()));
  c.set("d", Config::value(std::numeric_limits<double>::quiet_NaN()));
  c.set("e", Config::value(int64_t(9007199254740993)));
  const Config back = Config::parse(c.dump());
  EXPECT_EQ(back.get<double>("a"), 0.1 + 0.2);
  EXPECT_EQ(back.at("b").kind(), Config::Kind::real);
  EXPECT_TRUE(std::isinf(back.get<double>("c")));
  EXPECT_TRUE(std::isnan(back.get<double>("d")));
  EXPECT_EQ(back.get<int64_t>("e"), 9007199254740993);
}

TEST(Names, NearestToleratesSmallSlipsOnly) {
  EXPECT_EQ(nearest_name("tpye", {"depth", "type"}), "type");
  EXPECT_EQ(nearest_name("resnet", {"HRNet", "ResNet"}), "ResNet");
  EXPECT_EQ(nearest_name("ResNett", {"ResNeSt", "ResNet"}), "ResNet");
  EXPECT_EQ(nearest_name("ResNett", {"ResNet", "ResNeSt"}), "ResNet");
  EXPECT_EQ(nearest_name("banana", {"depth", "type"}), "");
  EXPECT_EQ(did_you_mean("ReNet", {"ResNet", "HRFormer"}),
            ", did you mean \"ResNet\"? (known: ResNet, HRFormer)");
}

TEST(Overrides, FollowTheCommandLineSyntax) {
  Config c = Config::parse(R"({"a": {"b": 1}, "l": [{"x": 1}, {"x": 2}], "n": [1, 2]})");
  apply_overrides(c, {"a.b=0x10", "a.c=1e-3", "a.d=True", "a.e=None", "a.f='quoted text'", "a.g=-3",
                      "l.1.x=9", "n.0=5", "t=[(1,2),[a,b],c]", "u=1,2.5,x", "v=", "w=[]",
                      "p.q=[1,]", "url=a=b", "big=1_000", "inf=inf"});
  EXPECT_EQ(c.dump(-1),
            R"({"a":{"b":"0x10","c":0.001,"d":true,"e":null,"f":"quotedtext","g":-3},)"
            R"("l":[{"x":1},{"x":9}],"n":[5,2],"t":[[1,2],["a","b"],"c"],"u":[1,2.5,"x"],"v":"",)"
            R"("w":[],"p":{"q":[1]},"url":"a=b","big":1000,"inf":"inf"})");
}

TEST(Overrides, ErrorsNameTheOption) {
  Config c = Config::parse(R"({"a": 1, "l": [1]})", "x.json");
  EXPECT_EQ(input_error([&] { apply_overrides(c, {"a"}); }),
            "option \"a\": expected key.path=value");
  EXPECT_EQ(input_error([&] { apply_overrides(c, {"a.b=1"}); }),
            "x.json: a: \"b\" cannot be set inside integer");
  EXPECT_EQ(input_error([&] { apply_overrides(c, {"l.3=1"}); }),
            "x.json: l: no element 3, the list has 1");
  EXPECT_EQ(input_error([&] { apply_overrides(c, {"l.x=1"}); }),
            "x.json: l: \"x\" is no index of this list");
  EXPECT_THROW(apply_overrides(c, {"a=[(1,2]"}), InputError);
  apply_overrides(c, {"a=text"});
  EXPECT_EQ(input_error([&] { c.get<int>("a"); }),
            "option a=text: a: expected integer, got string");
}

TEST(ConfigFile, InheritsAndMerges) {
  TempFolder folder;
  folder.write("base/run.json", R"({"train": {"epochs": 10, "by": "epoch"}, "hooks": [1, 2]})");
  folder.write("base/model.json",
               R"({"model": {"type": "A", "head": {"type": "H", "k": 17}, "neck": {"n": 1}}})");
  folder.write("c.json", R"({"_base_": ["base/run.json", "./base/model.json"],
    "train": {"epochs": 20}, "hooks": [3], "__private": 1,
    "model": {"neck": {"_delete_": true, "m": 2}}, "copy": {{ _base_.model.head }},
    "name": "{{fileBasenameNoExtension}}{{ fileExtname }}", "k": "{{_base_.model.head.k}}"})");
  EXPECT_EQ(load_config(folder.path("c.json")).dump(-1),
            R"({"train":{"epochs":20,"by":"epoch"},"hooks":[3],)"
            R"("model":{"type":"A","head":{"type":"H","k":17},"neck":{"m":2}},)"
            R"("copy":{"type":"H","k":17},"name":"c.json","k":17})");
}

TEST(ConfigFile, EnvironmentHasDefaults) {
  TempFolder folder;
  folder.write("c.json", R"({"root": "{{$LIMBER_TEST_UNSET_VARIABLE:data/coco}}/val"})");
  EXPECT_EQ(load_config(folder.path("c.json")).get<std::string>("root"), "data/coco/val");
  folder.write("e.json", R"({"n": {{'$LIMBER_TEST_UNSET_VARIABLE: 80'}}, "m": "{{ other }} {{"})");
  EXPECT_EQ(load_config(folder.path("e.json")).dump(-1), R"({"n":80,"m":"{{ other }} {{"})");
  folder.write("f.json", R"({"s": "{{$A:)" + std::string(1 << 20, 'x') + R"("})");
  EXPECT_EQ(load_config(folder.path("f.json")).get<std::string>("s").size(), (1u << 20) + 5);
  folder.write("d.json", R"({"root": "{{$LIMBER_TEST_UNSET_VARIABLE:}}"})");
  EXPECT_THROW(load_config(folder.path("d.json")), InputError);
}

TEST(ConfigFile, InheritanceErrorsNameFileAndKey) {
  TempFolder folder;
  folder.write("a.json", R"({"x": {"y": 1}})");
  folder.write("b.json", R"({"x": 1})");
  folder.write("twice.json", R"({"_base_": ["a.json", "b.json"]})");
  folder.write("loop.json", R"({"_base_": "loop.json"})");
  folder.write("kind.json", R"({"_base_": "b.json", "x": {"y": 2}})");
  folder.write("lost.json", R"({"_base_": "missing.json"})");
  folder.write("reference.json", R"({"_base_": "a.json", "z": {{_base_.x.w}}})");
  const auto error = [&](const char* name) {
    return input_error([&] { load_config(folder.path(name)); });
  };
  EXPECT_EQ(error("twice.json"), folder.path("twice.json") +
                                     ": _base_: key \"x\" is defined by two bases, " +
                                     folder.path("a.json") + " and " + folder.path("b.json"));
  EXPECT_NE(error("loop.json").find("in a circle"), std::string::npos);
  EXPECT_EQ(error("kind.json"), folder.path("kind.json") +
                                    ": x: an object cannot be merged with the base's value 1, set "
                                    "_delete_ in it to replace that");
  EXPECT_EQ(error("lost.json"), folder.path("missing.json") + ": no such file");
  folder.write("part.json", R"({"_base_": "a.json", "z": "{{_base_.x.y}}/w"})");
  EXPECT_NE(error("part.json").find("not for a part of a string"), std::string::npos);
  EXPECT_NE(error("reference.json").find("the bases have no \"w\""), std::string::npos);
  EXPECT_NE(error("x.yaml").find("ends in .json or .py"), std::string::npos);
}

TEST(ConfigFile, ErrorsNameTheBaseThatHoldsTheValue) {
  TempFolder folder;
  folder.write("a.json", R"({"x": {"y": "text"}})");
  folder.write("b.json", R"({"_base_": "a.json", "x": {"z": 1}})");
  const Config c = load_config(folder.path("b.json"));
  EXPECT_EQ(input_error([&] { c.at("x").get<int>("y"); }),
            folder.path("a.json") + ": x.y: expected integer, got string");
  EXPECT_EQ(input_error([&] { c.at("x").get<std::string>("z"); }),
            folder.path("b.json") + ": x.z: expected string, got integer");
}

}  // namespace
}  // namespace limber
