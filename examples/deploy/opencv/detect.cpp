// Finds objects in a picture with OpenCV's DNN module:
//
//   detect MODEL.onnx PICTURE                  prints them as JSON
//   detect MODEL.onnx --tensor INPUT OUTPUT    runs the model alone: float32 values, little-endian, in files
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

const float confidence = 0.25f, overlap = 0.45f;

struct Object {
    int label;
    float score;
    double x1, y1, x2, y2;  // pixels of the picture
};

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

// The fields of a protobuf message that are bytes, by number; in the messages read here, all others are whole numbers.
std::multimap<int, std::string_view> fields(std::string_view message) {
    std::multimap<int, std::string_view> found;
    size_t at = 0;
    auto varint = [&] {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const uint8_t byte = message.at(at++);
            value |= uint64_t(byte & 127) << shift;
            if (byte < 128) break;
        }
        return value;
    };
    while (at < message.size()) {
        const uint64_t key = varint(), value = varint();
        if ((key & 7) != 2) continue;
        found.emplace(int(key >> 3), message.substr(at, value));
        at += value;
    }
    return found;
}

// What an .onnx file says about itself, which OpenCV does not give: ModelProto.metadata_props, field 14.
std::map<std::string, std::string> metadata(const std::string& path) {
    std::map<std::string, std::string> about;
    const std::string file = read(path);
    const auto model = fields(file);
    for (auto [entry, end] = model.equal_range(14); entry != end; ++entry) {
        const auto pair = fields(entry->second);
        about[std::string(pair.find(1)->second)] = pair.find(2)->second;
    }
    return about;
}

// The parts of a text that a pattern matches.
std::vector<std::smatch> matches(const std::string& text, const char* pattern) {
    const std::regex regex(pattern);
    return {std::sregex_iterator(text.begin(), text.end(), regex), {}};
}

// The classes' names: a Python dictionary, {0: 'person', 1: 'bicycle'}.
std::map<int, std::string> classNames(const std::string& dictionary) {
    std::map<int, std::string> names;
    for (const auto& m : matches(dictionary, R"re((\d+): *(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"))re")) {
        names[std::stoi(m[1])] = std::regex_replace(m[2].str() + m[3].str(), std::regex(R"(\\(.))"), "$1");
    }
    return names;
}

// [1, 3, height, width], RGB from 0 to 1: the picture scaled to touch two sides, centred, the rest grey, as YOLOv5 does.
cv::Mat letterbox(const cv::Mat& picture, cv::Size size, double gain) {
    cv::Mat scaled, fitted;
    cv::resize(picture, scaled, cv::Size(cvRound(picture.cols * gain), cvRound(picture.rows * gain)));
    const int left = cvRound((size.width - scaled.cols) / 2.0 - 0.1), top = cvRound((size.height - scaled.rows) / 2.0 - 0.1);
    const int right = size.width - scaled.cols - left, bottom = size.height - scaled.rows - top;
    cv::copyMakeBorder(scaled, fitted, top, bottom, left, right, cv::BORDER_CONSTANT, cv::Scalar(114, 114, 114));
    return cv::dnn::blobFromImage(fitted, 1 / 255.0, cv::Size(), cv::Scalar(), true);
}

// The objects in output0, [1, rows, 5 + classes], the best first. A row is: centre x and y, width, height, objectness, a score per class.
std::vector<Object> objects(const cv::Mat& output, const cv::Mat& picture, cv::Size size, double gain) {
    std::vector<cv::Rect2d> boxes, apart;
    std::vector<float> scores;
    std::vector<int> labels, kept;
    for (int i = 0; i < output.size[1]; i++) {
        const float *row = output.ptr<float>(0, i), *best = std::max_element(row + 5, row + output.size[2]);
        if (row[4] <= confidence || row[4] * *best <= confidence) continue;
        boxes.emplace_back(row[0] - row[2] / 2, row[1] - row[3] / 2, row[2], row[3]);
        scores.push_back(row[4] * *best);
        labels.push_back(int(best - row - 5));
        apart.push_back(boxes.back() + cv::Point2d(1e4 * labels.back(), 0));  // so that no class hides another
    }
    cv::dnn::NMSBoxes(apart, scores, confidence, overlap, kept);

    const double left = (size.width - picture.cols * gain) / 2, top = (size.height - picture.rows * gain) / 2;
    auto x = [&](double v) { return std::clamp((v - left) / gain, 0.0, double(picture.cols)); };
    auto y = [&](double v) { return std::clamp((v - top) / gain, 0.0, double(picture.rows)); };
    std::vector<Object> found;
    for (int i : kept) {
        const auto& b = boxes[i];
        found.push_back({labels[i], scores[i], x(b.x), y(b.y), x(b.x + b.width), y(b.y + b.height)});
    }
    return found;
}

std::string quoted(const std::string& text) { return '"' + std::regex_replace(text, std::regex(R"re(["\\])re"), R"(\$&)") + '"'; }

void detect(const std::string& model, const std::vector<std::string>& arguments) {
    cv::dnn::Net net = cv::dnn::readNetFromONNX(model);
    auto about = metadata(model);
    cv::Size size(640, 640);
    if (auto sides = matches(about["imgsz"], R"(\d+)"); sides.size() == 2) size = {std::stoi(sides[1].str()), std::stoi(sides[0].str())};

    if (arguments[0] == "--tensor") {
        std::string values = read(arguments[1]);
        const int shape[] = {1, 3, size.height, size.width};
        if (values.size() != 12ul * size.area()) throw std::runtime_error(arguments[1] + ": not the size of the model's input");
        net.setInput(cv::Mat(4, shape, CV_32F, values.data()));
        const cv::Mat output = net.forward("output0");
        if (!std::ofstream(arguments[2], std::ios::binary).write(output.ptr<char>(), std::streamsize(output.total() * 4))) {
            throw std::runtime_error(arguments[2] + ": cannot be written");
        }
        return;
    }
    const cv::Mat picture = cv::imread(arguments[0]);
    if (picture.empty()) throw std::runtime_error(arguments[0] + ": not a picture that OpenCV reads");
    const double gain = std::min(double(size.width) / picture.cols, double(size.height) / picture.rows);
    net.setInput(letterbox(picture, size, gain));
    auto names = classNames(about["names"]);
    std::printf("[");
    const char* separator = "\n";
    for (const Object& o : objects(net.forward("output0"), picture, size, gain)) {
        std::printf("%s {\"class\": %d, \"name\": %s, \"score\": %.4f, \"box_xyxy\": [%.1f, %.1f, %.1f, %.1f]}", separator, o.label,
                    quoted(names.count(o.label) ? names[o.label] : std::to_string(o.label)).c_str(), o.score, o.x1, o.y1, o.x2, o.y2);
        separator = ",\n";
    }
    std::printf("\n]\n");
}

int main(int argc, char** argv) try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!(arguments.size() == 2 && arguments[1] != "--tensor") && !(arguments.size() == 4 && arguments[1] == "--tensor")) {
        std::fprintf(stderr, "usage: detect MODEL.onnx PICTURE\n       detect MODEL.onnx --tensor INPUT OUTPUT\n");
        return 2;
    }
    detect(arguments[0], {arguments.begin() + 1, arguments.end()});
} catch (const std::exception& error) {
    std::fprintf(stderr, "detect: %s\n", error.what());
    return 1;
}
