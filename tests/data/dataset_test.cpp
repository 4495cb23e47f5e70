#include "data/dataset.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "data/coco_json.h"
#include "data/image.h"
#include "data/json_reader.h"
#include "data/loader.h"
#include "data/mat_file.h"
#include "pose/core/metainfo.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// A folder with small images and a COCO file of one person each, removed at the end.
class DataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("limber_data_" + std::to_string(getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string image(const std::string& name, int value) const {
    Tensor t = Tensor::empty({48, 64, 3}, DType::u8);
    for (int64_t i = 0; i < t.numel(); ++i) t.data<uint8_t>()[i] = uint8_t(value + i % 7);
    write_image((folder_ / name).string(), t);
    return name;
  }
  static std::string annotation(int id, int image, const std::string& bbox, int points = 17,
                                const std::string& more = "") {
    std::string keypoints;
    for (int k = 0; k < points; ++k)
      keypoints += (k ? "," : "") + std::to_string(10 + k) + "," + std::to_string(12 + k) + ",2";
    return R"({"id":)" + std::to_string(id) + R"(,"image_id":)" + std::to_string(image) +
           R"(,"category_id":1,"bbox":)" + bbox + R"(,"keypoints":[)" + keypoints + "]" + more +
           "}";
  }
  // n images of 64 x 48 with one person each.
  std::string coco(int n) const {
    std::string images, annotations;
    for (int i = 0; i < n; ++i) {
      image(std::to_string(i) + ".png", 5 * i);
      images += std::string(i ? "," : "") + R"({"id":)" + std::to_string(i) + R"(,"file_name":")" +
                std::to_string(i) + R"(.png","width":64,"height":48})";
      annotations += (i ? "," : "") + annotation(100 + i, i, "[5,6,30,35]");
    }
    return file("people.json", R"({"images":[)" + images + R"(],"annotations":[)" + annotations +
                                   R"(],"categories":[{"id":1,"name":"person"}]})");
  }
  Config config(const std::string& more = "", const std::string& pipeline = R"([
      {"type":"LoadImage"},{"type":"GetBBoxCenterScale"},{"type":"RandomFlip"},
      {"type":"RandomBBoxTransform"},{"type":"TopdownAffine","input_size":[32,32]},
      {"type":"PackPoseInputs"}])") const {
    return Config::parse(R"({"type":"CocoDataset","ann_file":"people.json","data_root":")" +
                         folder_.string() + R"(","pipeline":)" + pipeline + more + "}");
  }
  fs::path folder_;
};

TEST(JsonReaderTest, ReadsWhatItIsAskedFor) {
  const std::string text =
      R"( {"a": [1, -2.5e1, [3]], "b": "x\u00e9\n\ud83d\ude00", "c": true, "d": null, "e": {"f": []}} )";
  JsonReader r(text, "t.json");
  std::string key;
  std::vector<double> numbers;
  r.begin_object();
  ASSERT_TRUE(r.next_key(key));
  r.numbers(numbers);
  EXPECT_EQ(numbers, (std::vector<double>{1, -25, 3}));
  ASSERT_TRUE(r.next_key(key));
  EXPECT_EQ(r.string(), "x\xC3\xA9\n\xF0\x9F\x98\x80");
  ASSERT_TRUE(r.next_key(key));
  EXPECT_TRUE(r.boolean());
  ASSERT_TRUE(r.next_key(key));
  r.skip();
  ASSERT_TRUE(r.next_key(key));
  r.skip();
  EXPECT_FALSE(r.next_key(key));
  r.finish();
}

TEST(JsonReaderTest, BrokenTextIsAnErrorWithItsPlace) {
  for (const char* text : {"{", "{\"a\"", "{\"a\":}", "{\"a\":1,}", "[1 2]", "[1,]", "\"abc",
                           "[tru]", "{\"a\":\"\\q\"}", "[1]]", "[-]", "{1:2}", "[\"\\u12\"]"}) {
    const std::string message = message_of([&] {
      JsonReader r(text, "t.json");
      r.skip();
      r.finish();
    });
    EXPECT_NE(message.find("t.json:1:"), std::string::npos) << text << " gave: " << message;
  }
  const std::string deep(100000, '[');
  EXPECT_NE(message_of([&] { JsonReader(deep, "t.json").skip(); }), "");
}

TEST(MetainfoTest, AllDescriptionsParse) {
  EXPECT_EQ(known_metainfo_names().size(), 55u);
  for (const std::string& name : known_metainfo_names())
    EXPECT_GT(known_metainfo(name)->num_keypoints, 0) << name;
  EXPECT_EQ(known_metainfo("coco")->num_keypoints, 17);
  EXPECT_NE(message_of([] { known_metainfo("coko"); }).find("coco"), std::string::npos);
}

TEST_F(DataTest, ReadsPeopleAndPacksThem) {
  coco(3);
  const auto data = make_dataset(config());
  ASSERT_EQ(data->size(), 3);
  Random random(1);
  const DataSample sample = data->get(1, random);
  EXPECT_EQ(sample.inputs.shape(), Shape({32, 32, 3}));
  EXPECT_EQ(sample.meta.img_id, 1);
  EXPECT_EQ(sample.meta.id, 101);
  EXPECT_EQ(sample.gt_instances.keypoints.shape(), Shape({1, 17, 2}));
  ASSERT_EQ(sample.meta.raw_annotations.size(), 1u);
  EXPECT_EQ(sample.meta.raw_annotations[0]->keypoints.size(), 51u);
}

TEST_F(DataTest, BadAnnotationFilesAreNamed) {
  const auto fails_with = [&](const std::string& part) {
    const std::string message = message_of([&] { make_dataset(config()); });
    EXPECT_NE(message.find("people.json"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  fails_with("cannot open");
  const std::string image = R"({"images":[{"id":1,"file_name":"a.png","width":64,"height":48}],)";
  file("people.json", image + R"("annotations":[)");
  fails_with("broken JSON");
  file("people.json", "[]");
  fails_with("not a COCO annotation file");
  file("people.json", R"({"images":[]})");
  fails_with("annotations");
  file("people.json", image + R"("annotations":[)" + annotation(7, 1, "[1,2,3,4]", 16) + "]}");
  fails_with("annotation 7 has 16 key points");
  file("people.json", image + R"("annotations":[)" + annotation(7, 2, "[1,2,3,4]") + "]}");
  fails_with("does not list: 2");
  file("people.json", image + R"("annotations":[)" + annotation(7, 1, "[1,2,3,4]") +
                          R"(],"categories":[{"id":3,"name":"cat"}]})");
  fails_with("category 1");
  file("people.json", image + R"("annotations":[)" + annotation(7, 1, "[1,2,NaN,4]") + "]}");
  fails_with("finite");
  file("people.json", image + R"("annotations":[)" + annotation(7, 1, "[1,2,3]") + "]}");
  fails_with("four");
}

TEST_F(DataTest, BoxesWithoutAreaAreLeftOut) {
  const std::string image = R"({"images":[{"id":1,"file_name":"a.png","width":64,"height":48}],)";
  file("people.json", image + R"("annotations":[)" + annotation(1, 1, "[1,2,0,4]") + "," +
                          annotation(2, 1, "[1,2,-5,4]") + "," + annotation(3, 1, "[100,2,9,9]") +
                          "," + annotation(4, 1, "[1,2,9,9]") + "," +
                          annotation(5, 1, "[1,2,9,9]", 17, R"(,"iscrowd":1)") + "]}");
  EXPECT_EQ(make_dataset(config())->size(), 1);
}

TEST_F(DataTest, WrongConfigsSayWhatIsMeant) {
  coco(1);
  EXPECT_NE(message_of([&] {
              make_dataset(Config::parse(R"({"type":"CocoDatset"})"));
            }).find("CocoDataset"),
            std::string::npos);
  EXPECT_NE(message_of([&] { make_dataset(config(R"(,"tset_mode":true)")); }).find("test_mode"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              make_dataset(config("", R"([{"type":"TopdownAfine","input_size":[32,32]}])"));
            }).find("TopdownAffine"),
            std::string::npos);
}

TEST_F(DataTest, AnUnreadableImageIsReplacedInTrainingAndAnErrorInTests) {
  coco(4);
  file("2.png", "not an image");
  Random random(1);
  const auto training = make_dataset(config());
  for (int i = 0; i < 5; ++i) EXPECT_NE(training->get(2, random).meta.img_id, 2);
  const auto test = make_dataset(config(R"(,"test_mode":true)"));
  EXPECT_NE(message_of([&] { test->get(2, random); }).find("2.png"), std::string::npos);
  for (int i = 0; i < 4; ++i) file(std::to_string(i) + ".png", "");
  const auto hopeless = make_dataset(config(R"(,"max_refetch":3)"));
  EXPECT_NE(message_of([&] { hopeless->get(0, random); }).find("4 attempts"), std::string::npos);
}

TEST_F(DataTest, DetectionsTakeThePlaceOfBoxesInTests) {
  coco(2);
  const std::string boxes = file("boxes.json",
                                 R"([{"image_id":1,"category_id":1,"bbox":[1,2,10,12],"score":0.9},
           {"image_id":0,"category_id":2,"bbox":[1,2,10,12],"score":0.9},
           {"image_id":0,"category_id":1,"bbox":[3,4,10,12],"score":0.2}])");
  const auto data = make_dataset(config(R"(,"test_mode":true,"bbox_file":")" + boxes + "\""));
  ASSERT_EQ(data->size(), 2);
  Random random(1);
  const Sample first = data->raw_sample(0, random);
  EXPECT_EQ(first.meta.img_id, 1);
  EXPECT_FLOAT_EQ(first.bbox.data<float>()[2], 11);
  EXPECT_FLOAT_EQ(first.bbox_score.data<float>()[0], 0.9f);
  const auto good = make_dataset(config(R"(,"test_mode":true,"bbox_file":")" + boxes +
                                        R"(","filter_cfg":{"bbox_score_thr":0.5})"));
  EXPECT_EQ(good->size(), 1);
}

TEST_F(DataTest, BottomUpGroupsByImage) {
  const std::string images =
      R"({"images":[{"id":1,"file_name":"a.png","width":64,"height":48},
                    {"id":2,"file_name":"b.png","width":64,"height":48}],)";
  file("people.json", images + R"("annotations":[)" + annotation(1, 1, "[1,2,20,20]") + "," +
                          annotation(2, 1, "[5,5,20,20]") + "]}");
  EXPECT_EQ(make_dataset(config(R"(,"data_mode":"bottomup")"))->size(), 1);
  const auto test = make_dataset(config(R"(,"data_mode":"bottomup","test_mode":true)"));
  ASSERT_EQ(test->size(), 2);
  Random random(1);
  EXPECT_EQ(test->raw_sample(0, random).keypoints.shape(), Shape({2, 17, 2}));
  EXPECT_FALSE(test->raw_sample(1, random).keypoints.defined());
}

TEST_F(DataTest, CombinedDatasetsResampleAndTakeTheOuterDescription) {
  coco(4);
  Config combined = Config::parse(
      R"({"type":"CombinedDataset","metainfo":{"from_file":"configs/_base_/datasets/halpe26.py"},
          "sample_ratio_factor":[1, 0.5],"pipeline":[{"type":"PackPoseInputs"}]})");
  Config list = Config::list();
  const std::string inner = R"([{"type":"LoadImage"},
      {"type":"KeypointConverter","num_keypoints":26,"mapping":[[0,0],[[5,6],18]]}])";
  list.push_back(config("", inner));
  list.push_back(config("", inner));
  combined.set("datasets", list);
  const auto data = make_dataset(combined);
  EXPECT_EQ(data->size(), 6);
  Random random(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 40; ++i) seen.insert(data->get(5, random).meta.img_id);
  EXPECT_EQ(seen, (std::set<int64_t>{2, 3}));
  const DataSample sample = data->get(0, random);
  EXPECT_EQ(sample.gt_instances.keypoints.shape(), Shape({1, 26, 2}));
  EXPECT_EQ(sample.meta.flip_indices, known_metainfo("halpe26")->flip_indices);
}

// An array of doubles as a MATLAB file, compressed or not.
std::string mat_file(const std::string& name, const std::vector<int32_t>& dims,
                     const std::vector<double>& values, bool compressed) {
  const auto word = [](uint32_t v) { return std::string(reinterpret_cast<const char*>(&v), 4); };
  const auto element = [&](uint32_t type, std::string data) {
    std::string out = word(type) + word(uint32_t(data.size())) + data;
    return out.append((8 - out.size() % 8) % 8, '\0');
  };
  const std::string body =
      element(6, word(6) + word(0)) +
      element(5, {reinterpret_cast<const char*>(dims.data()), dims.size() * 4}) + element(1, name) +
      element(9, {reinterpret_cast<const char*>(values.data()), values.size() * 8});
  std::string matrix = element(14, body);
  if (compressed) {
    std::string packed(matrix.size() + 100, '\0');
    uLongf size = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &size,
             reinterpret_cast<const Bytef*>(matrix.data()), matrix.size());
    packed.resize(size);
    matrix = word(15) + word(uint32_t(size)) + packed;
  }
  return std::string(124, ' ') + std::string("\0\1IM", 4) + matrix;
}

TEST_F(DataTest, MpiiHeadSizesComeFromItsMatFile) {
  std::string joints, visible;
  for (int k = 0; k < 16; ++k) {
    joints += std::string(k ? "," : "") + "[10,20]";
    visible += k ? ",1" : "1";
  }
  const std::string person = R"({"image":"015601864.jpg","center":[50,60],"scale":0.2,"joints":[)" +
                             joints + R"(],"joints_vis":[)" + visible + "]}";
  file("mpii.json", "[" + person + "," + person + "]");
  for (const bool compressed : {false, true}) {
    // Corners (1, 2) and (31, 42), then (0, 0) and (3, 4), in column order.
    const std::string heads = file(
        "heads.mat", mat_file("headboxes_src", {2, 2, 2}, {1, 31, 2, 42, 0, 3, 0, 4}, compressed));
    Config config = Config::parse(R"({"type":"MpiiDataset","ann_file":"mpii.json"})");
    config.set("data_root", Config::value(folder_.string()));
    config.set("headbox_file", Config::value(heads));
    const auto data = make_dataset(config);
    Random random(1);
    const Sample first = data->raw_sample(0, random), second = data->raw_sample(1, random);
    EXPECT_EQ(first.meta.img_id, 15601864);
    EXPECT_FLOAT_EQ(first.more.at("head_size")[0].data<float>()[0], 0.6f * 50);
    EXPECT_FLOAT_EQ(second.more.at("head_size")[0].data<float>()[0], 0.6f * 5);
  }
  EXPECT_NE(message_of([&] { read_mat_array(file("x.mat", "abc"), "a"); }).find("x.mat"),
            std::string::npos);
  EXPECT_NE(
      message_of([&] { read_mat_array((folder_ / "heads.mat").string(), "a"); }).find("\"a\""),
      std::string::npos);
}

// Everything that a batch of an epoch holds, as numbers.
std::vector<double> content(Loader& loader, int64_t epoch, int64_t first = 0) {
  std::vector<double> out;
  loader.start(epoch, first);
  while (auto batch = loader.next())
    for (const DataSample& s : *batch) {
      out.push_back(double(s.meta.id));
      double sum = 0;
      for (int64_t i = 0; i < s.inputs.numel(); ++i)
        sum += s.inputs.data<uint8_t>()[i] * double(i % 13);
      out.push_back(sum);
      out.push_back(double(s.meta.flip));
    }
  return out;
}

TEST_F(DataTest, BatchesDependOnSeedAndEpochNotOnThreads) {
  coco(11);
  const auto load = [&](int threads, uint64_t seed) {
    Config loader = Config::parse(R"({"batch_size":3,"sampler":{"type":"DefaultSampler"}})");
    loader.set("num_workers", Config::value(threads));
    loader.set("dataset", config());
    return make_loader(loader, seed);
  };
  const auto reference = load(0, 5);
  const auto first = content(*reference, 1);
  EXPECT_EQ(first.size(), 33u);
  EXPECT_NE(first, content(*reference, 2));
  EXPECT_NE(first, content(*load(0, 6), 1));
  for (int threads : {1, 2, 5}) {
    const auto loader = load(threads, 5);
    EXPECT_EQ(content(*loader, 1), first);
    EXPECT_EQ(content(*loader, 1), first);
    // From the middle of an epoch, as a resumed run starts.
    EXPECT_EQ(content(*loader, 1, 2), std::vector<double>(first.begin() + 18, first.end()));
    EXPECT_GE(loader->wait_seconds(), 0);
  }
}

TEST_F(DataTest, ALoaderCanBeLeftAtAnyMoment) {
  coco(9);
  for (int read = 0; read < 4; ++read) {
    LoaderOptions options;
    options.batch_size = 2, options.threads = 3, options.drop_last = true;
    const auto data = make_dataset(config());
    Loader loader(data, make_sampler(Config(), *data, 2), options);
    EXPECT_EQ(loader.batches(), 4);
    loader.start(0);
    for (int i = 0; i < read; ++i) ASSERT_TRUE(loader.next());
    loader.start(1);  // gives the rest up
    ASSERT_TRUE(loader.next());
  }
}

TEST_F(DataTest, AWorkersErrorReachesTheReader) {
  coco(6);
  file("3.png", "broken");
  LoaderOptions options;
  options.threads = 2;
  const auto data = make_dataset(config(R"(,"test_mode":true)"));
  Loader loader(data, make_sampler(Config(), *data, 1), options);
  loader.start(0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(loader.next());
  EXPECT_NE(message_of([&] { loader.next(); }).find("3.png"), std::string::npos);
  EXPECT_FALSE(loader.next());
  loader.start(1);
  EXPECT_TRUE(loader.next());
}

TEST_F(DataTest, MultiSourceBatchesKeepTheirRatio) {
  coco(4);
  Config concat = Config::parse(R"({"type":"ConcatDataset"})");
  Config list = Config::list();
  list.push_back(config());
  list.push_back(config());
  concat.set("datasets", list);
  const auto data = make_dataset(concat);
  const auto sampler = make_sampler(
      Config::parse(R"({"type":"MultiSourceSampler","batch_size":4,"source_ratio":[1,3]})"), *data,
      4);
  const auto order = sampler->epoch(1, 0);
  ASSERT_EQ(order.size(), 8u);
  for (size_t b = 0; b < 2; ++b)
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(order[4 * b + i] < 4, i == 0);
}

}  // namespace
}  // namespace limber
