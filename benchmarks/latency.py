"""How long the running service takes for a search and for an extractive answer, one after another, warm.

    taiyi-rag serve &   (with the sample documents loaded)
    python benchmarks/latency.py --rounds 4

Each round asks 24 questions that the sample answers, every time with other words in front, so that no cache of
questions helps. Prints median, 95th percentile and maximum in milliseconds.
"""

import argparse
import json
import statistics
import time
import urllib.request

TOPICS = (
    "the blood pressure that defines hypertension",
    "the eGFR below which metformin is contraindicated",
    "asthma treated with a SABA alone",
    "the spirometry result that confirms COPD",
    "the prednisone course in a COPD exacerbation",
    "what CURB-65 scores",
    "the four drug classes in heart failure",
    "when apixaban is reduced",
    "SGLT2 inhibitors in chronic kidney disease",
    "the alteplase dose in stroke",
    "the target serum urate in gout",
    "the full dose of levothyroxine",
    "高血压的诊断界值",
    "老年人的降压目标",
    "糖化血红蛋白诊断糖尿病",
    "低血糖的标准",
    "哮喘第1级治疗的首选方案",
    "慢阻肺长期家庭氧疗的时间",
    "社区获得性肺炎的疗程",
    "心衰患者体重增加",
    "慢性肾脏病转诊",
    "溶栓前的血压",
    "痛风血尿酸目标",
    "幽门螺杆菌根除方案",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    for path, field in (("search", "query"), ("ask", "question")):
        _post(arguments.url, path, {field: "warm up"})
        times = []
        for number in range(arguments.rounds):
            for topic in TOPICS:
                started = time.perf_counter()
                _post(arguments.url, path, {field: f"{path} {number}: {topic}"})
                times.append((time.perf_counter() - started) * 1000)
        ranked = sorted(times)
        print(
            f"POST /v1/{path:<7} {len(times)} requests: median {statistics.median(times):.0f} ms, "
            f"p95 {ranked[int(0.95 * len(ranked))]:.0f} ms, max {ranked[-1]:.0f} ms"
        )


def _post(url: str, path: str, body: dict[str, str]) -> None:
    request = urllib.request.Request(
        f"{url}/v1/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        response.read()


if __name__ == "__main__":
    main()
