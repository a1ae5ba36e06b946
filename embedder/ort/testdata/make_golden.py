#!/usr/bin/env python3
"""Writes golden.jsonl: the vectors that the reference gives for texts of our
own. Needs the packages tokenizers, onnxruntime and numpy (0.23.3, 1.32.0 and
2.x were used):

    python3 make_golden.py HOME > golden.jsonl

HOME is the folder of models (see `vecdb doctor`). The texts go one by one
through the reference tokenizer and the fp32 model, so that there is no
padding; pooling and scaling are done in 64 bits.
"""
import base64
import json
import sys

import numpy
import onnxruntime
from tokenizers import Tokenizer, normalizers

ENGLISH = """A father looks for his son in the mountains.
The cat sat on the warm windowsill and watched the rain.
How do I reset the password of my account?
My card was declined although there is enough money on it.
Stock markets fell sharply after the central bank raised rates.
A simple recipe for lentil soup with cumin and lemon.
Photosynthesis turns light, water and carbon dioxide into sugar.
The train to the airport leaves every twenty minutes.
She plays the violin in the city orchestra.
Compile the program with optimisations switched on.
The defendant was acquitted of all charges on Tuesday.
Whales are mammals that live in the sea.
Please send the invoice to the accounting department.
It was a dull film with a wonderful soundtrack.
The earthquake was felt three hundred kilometres away.
Vaccines train the immune system to recognise a virus.
He bought a second-hand bicycle for 120 euros.
The museum is closed on Mondays and public holidays.
An index makes look-ups fast and writes a little slower.
Where can I find a quiet place to read?
UPPER CASE SHOUTING AND lower case whispering
naïve café, Zürich, São Paulo, Ångström
https://example.org/a?b=c and mail@example.org
x
?!
1234567890 3.14159 2024-02-29
The committee postponed the decision until the next meeting in spring.
Bees communicate the direction of flowers by dancing.
Turn left at the second traffic light, then go straight on.
The patient complained of a persistent headache and nausea.
Their new album mixes jazz, electronic music and folk songs.
A good night's sleep helps the brain to remember.
The bridge was built in 1887 and renovated twice since.
Unit tests should be fast, isolated and repeatable.
混合 text with 中文 inside
Hello 👋 world 🌍""".split("\n")

CHINESE = """一位父亲在山里寻找他的儿子。
小猫坐在温暖的窗台上看雨。
怎样重置我的账户密码？
我的卡里有钱，但是付款被拒绝了。
央行加息后股市大幅下跌。
小扁豆汤的简单做法，加孜然和柠檬。
光合作用把光、水和二氧化碳变成糖。
去机场的火车每二十分钟一班。
她在市交响乐团拉小提琴。
打开优化选项编译程序。
被告周二被宣判无罪。
鲸鱼是生活在海里的哺乳动物。
请把发票寄到财务部。
电影很沉闷，但是配乐很精彩。
三百公里外都感觉到了地震。
疫苗训练免疫系统识别病毒。
他花一百二十欧元买了一辆二手自行车。
博物馆周一和节假日闭馆。
索引让查询更快，让写入稍慢。
哪里可以找到安静的地方看书？
北京的秋天很美，天空很蓝。
人工智能正在改变我们的生活方式
蜜蜂用舞蹈告诉同伴花的方向。
第二个红绿灯左转，然后直走。
病人说头痛持续了三天，还有恶心。
新专辑融合了爵士、电子和民谣。
睡个好觉有助于记忆。
这座桥建于1887年，翻修过两次。
单元测试应该快速、独立、可重复。
委员会把决定推迟到春天的下一次会议。
中文 with English 和 Numbers 123 混合
GPU 显卡价格 MacBook Pro 多少钱
繁體中文也要能搜尋
好
？！
今天下雨了，我没带伞。""".split("\n")

LONG = {"en": ("The harbour was quiet in the morning and crowded by noon. ", 30), "zh": ("港口早晨很安静，中午就挤满了人。", 40)}

MODELS = [("all-MiniLM-L6-v2", "mean", 256, None, ENGLISH, "en"), ("bge-small-zh-v1.5", "cls", 512, True, CHINESE, "zh")]


def main():
    for name, pooling, limit, lower, texts, language in MODELS:
        folder = f"{sys.argv[1]}/models/{name}"
        tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
        tokenizer.no_padding()
        tokenizer.enable_truncation(limit)
        if lower is not None:
            tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
        session = onnxruntime.InferenceSession(folder + "/model-fp32.onnx", providers=["CPUExecutionProvider"])
        for text, repeat in [(t, 1) for t in texts] + [LONG[language]]:
            ids = numpy.array([tokenizer.encode(text * repeat).ids], dtype=numpy.int64)
            feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
            hidden = session.run(None, feed)[0][0].astype(numpy.float64)
            v = hidden[0] if pooling == "cls" else hidden.mean(axis=0)
            v = (v / numpy.linalg.norm(v)).astype("<f4")
            row = {"model": name, "text": text, "vector": base64.b64encode(v.tobytes()).decode()}
            if repeat > 1:
                row["repeat"] = repeat
            print(json.dumps(row, ensure_ascii=False, separators=(",", ":")))


main()
