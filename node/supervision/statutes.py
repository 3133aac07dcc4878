"""What rules stand on: each law that a rule cites, in the edition whose text was read, with what its articles say.

An alert may end in a card, so the number it rests on is held against the words of the law and not against memory: a rule cites an article only
if its words are here, and a rule whose limit is the law's has one of the lengths that the articles it cites give (both are tests). A law that
nobody could read the text of is cited by name alone, and says so. Where no law gives the number, the rule says what it is instead:

| mark | the number is |
| --- | --- |
| `CHOICE` | this program's default, a threshold of policy; the law beside it, where there is one, is the ground and not the number |
| `PRACTICE` | what deployed systems of other places have; a threshold of policy |
| `CATALOGUE` | what the catalogue, a plan or a notice says of the matter itself |
| `LIBRARY` | what a published library of standards says |

Lengths are natural days unless they say otherwise; a law's own rule turns some into working days (行政许可法 §82, 行政处罚法 §85, 行政强制法 §69,
行政复议法 §88).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from node.supervision.clock import NATURAL, WORKING

CHOICE: Final = "本系统默认"
PRACTICE: Final = "各地实务"
CATALOGUE: Final = "事项载明"
LIBRARY: Final = "标准库载明"

MARKS: Final[Mapping[str, str]] = {
    CHOICE: "default of this program",
    PRACTICE: "practice of other places",
    CATALOGUE: "stated for the matter",
    LIBRARY: "published library",
}
"""The marks as they stand in a rule's legal basis, with their words in English."""

Length = tuple[int, str]
"""(amount, unit)."""


@dataclass(frozen=True, slots=True)
class Article:
    """What one article says, as far as rules rest on it."""

    words: str
    lengths: tuple[Length, ...] = ()
    """The limits that it sets."""


@dataclass(frozen=True, slots=True)
class Statute:
    """One law, regulation, rule or standard."""

    edition: str
    """Date of the text that was read; of one that was not, what is known of it."""
    articles: Mapping[int, Article] = field(default_factory=dict)
    read: bool = True
    """False: its text was not at hand, so no article of it is cited."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """One part of a rule's legal basis."""

    name: str
    """Of a statute, or a mark."""
    articles: tuple[int, ...] = ()


def _of(amount: int, unit: str = NATURAL) -> tuple[Length, ...]:
    return ((amount, unit),)


def _plain(**articles: str) -> dict[int, Article]:
    return {int(number.removeprefix("a")): Article(words) for number, words in articles.items()}


_LICENSING: Final = Statute(
    "2019-04-23",
    {
        **_plain(
            a4="依照法定的权限、范围、条件和程序",
            a17="其他规范性文件一律不得设定行政许可",
            a22="具有行政许可权的行政机关在其法定职权范围内实施",
            a30="事项、依据、条件、数量、程序、期限……公示",
            a38="不予行政许可……应当说明理由",
            a45="听证、招标、拍卖、检验、检测、检疫、鉴定和专家评审……所需时间不计算在内，应当书面告知",
            a58="不得收取任何费用，法律、行政法规另有规定的除外",
            a59="按照公布的法定项目和标准收费",
            a60="上级行政机关应当加强对下级行政机关的监督检查",
            a61="通过核查……履行监督责任",
        ),
        32: Article("当场或者在五日内一次告知……逾期不告知的，自收到之日起即为受理", _of(5, WORKING)),
        42: Article(
            "二十日，可以延长十日；联合办理四十五日，可以延长十五日",
            ((20, WORKING), (10, WORKING), (45, WORKING), (15, WORKING)),
        ),
        43: Article("下级行政机关应当自受理之日起二十日内审查完毕", _of(20, WORKING)),
        44: Article("自作出决定之日起十日内颁发、送达", _of(10, WORKING)),
    },
    note="§82: days are working days",
)

_PENALTIES: Final = Statute(
    "2021-01-22",
    {
        **_plain(
            a34="行政处罚裁量基准……应当向社会公布",
            a36="二年内未被发现的，不再给予行政处罚；涉及公民生命健康安全、金融安全且有危害后果的，五年",
            a42="具有行政执法资格的执法人员，不得少于两人",
            a44="作出决定之前，应当告知内容及事实、理由、依据",
            a45="对当事人提出的事实、理由和证据，应当进行复核",
            a54="全面、客观、公正地调查；符合立案标准的，应当及时立案",
            a55="调查或者进行检查时，应当主动出示执法证件",
            a57="负责人应当对调查结果进行审查；情节复杂或者重大违法行为，集体讨论决定",
            a58="作出决定之前……未经法制审核或者审核未通过的，不得作出决定",
            a62="未依照第四十四条、第四十五条告知……不得作出行政处罚决定",
            a63="应当告知当事人有要求听证的权利，当事人要求听证的，应当组织听证",
            a65="应当根据听证笔录……作出决定",
            a66="在决定书载明的期限内履行；可以暂缓或者分期缴纳",
        ),
        48: Article("三日内撤回行政处罚决定信息", _of(3, WORKING)),
        56: Article("先行登记保存……七日内及时作出处理决定", _of(7, WORKING)),
        60: Article("自立案之日起九十日内作出行政处罚决定", _of(90)),
        61: Article("当事人不在场的……七日内送达", _of(7, WORKING)),
        64: Article(
            "听证在告知后五日内提出，举行的七日前通知；由非本案调查人员主持",
            ((5, WORKING), (7, WORKING)),
        ),
        67: Article("自收到决定书之日起十五日内缴纳罚款", _of(15)),
        72: Article("每日按罚款数额的百分之三加处罚款，不得超出罚款的数额"),
    },
    note="§85: 二日, 三日, 五日, 七日 are working days",
)

_COERCION: Final = Statute(
    "2011-06-30",
    {
        **_plain(
            a18="实施前须向负责人报告并经批准；由两名以上行政执法人员实施",
            a24="制作并当场交付查封、扣押决定书和清单",
            a26="保管费用由行政机关承担",
            a35="作出强制执行决定前，应当事先催告",
            a36="对当事人提出的事实、理由和证据，应当进行记录、复核",
            a43="不得在夜间或者法定节假日实施，情况紧急的除外；不得停止供水、供电、供热、供燃气",
            a45="加处罚款或者滞纳金的数额不得超出金钱给付义务的数额",
            a52="需要立即清除道路、河道、航道或者公共场所的遗洒物、障碍物……可以决定立即实施代履行",
        ),
        19: Article("在二十四小时内向负责人报告，并补办批准手续"),
        25: Article("不得超过三十日，延长不得超过三十日；检测、检验、检疫、鉴定的期间不包括在内", _of(30)),
        31: Article("三日内向当事人交付冻结决定书", _of(3, WORKING)),
        32: Article("自冻结之日起三十日内，延长不得超过三十日", _of(30)),
        53: Article("自期限届满之日起三个月内申请；起诉期限六个月，合计最长276日", _of(276)),
        54: Article("催告书送达十日后仍未履行的，可以申请人民法院强制执行", _of(10, WORKING)),
    },
    note="§69: up to ten days are working days",
)

_TENDERING: Final = Statute(
    "2017-12-27",
    {
        **_plain(
            a28="投标人少于三个的，应当重新招标",
            a32="投标人不得相互串通投标报价",
            a37="五人以上单数，专家不少于三分之二",
        ),
        23: Article("澄清或者修改……截止时间至少十五日前", _of(15)),
        24: Article("自招标文件开始发出之日起至截止之日止，最短不得少于二十日", _of(20)),
        46: Article("自中标通知书发出之日起三十日内订立书面合同；不得背离实质性内容", _of(30)),
    },
)

_TENDERING_RULES: Final = Statute(
    "2019-03-02",
    {
        **_plain(
            a21="可能影响投标文件编制的，投标截止时间至少15日前",
            a34="单位负责人为同一人或者存在控股、管理关系的不同单位，不得参加同一招标项目投标",
            a39="禁止投标人相互串通投标",
            a40="不同投标人的投标文件由同一单位或者个人编制，视为相互串通投标",
            a44="投标人少于3个的，不得开标",
            a46="以随机抽取方式确定专家，特殊招标项目除外",
            a51="高于最高投标限价的，应当否决",
            a55="应当确定排名第一的中标候选人为中标人，放弃、不符合中标条件的除外",
        ),
        16: Article("发售期不得少于5日", _of(5)),
        22: Article("自收到异议之日起3日内作出答复", _of(3)),
        54: Article("自收到评标报告之日起3日内公示，公示期不得少于3日；异议3日内答复", _of(3)),
        57: Article("合同与招标文件和投标文件一致；签订后5日内退还投标保证金", _of(5)),
        61: Article("自受理投诉之日起30个工作日内，检验、检测、鉴定、专家评审不计算在内", _of(30, WORKING)),
    },
)

_PROCUREMENT: Final = Statute(
    "2014-08-31",
    {
        **_plain(
            a36="不足三家，或者报价均超过采购预算的，应予废标",
            a41="应当组织对供应商履约的验收",
            a49="所有补充合同的采购金额不得超过原合同采购金额的百分之十",
        ),
        35: Article("自招标文件开始发出之日起至截止之日止，不得少于二十日", _of(20)),
        46: Article("自通知书发出之日起三十日内签订政府采购合同", _of(30)),
        53: Article("收到书面质疑后七个工作日内作出答复", _of(7, WORKING)),
        56: Article("收到投诉后三十个工作日内作出处理决定", _of(30, WORKING)),
    },
)

_PROCUREMENT_RULES: Final = Statute(
    "2015-01-30",
    {
        **_plain(
            a28="一个财政年度内……同一品目或者类别……多次采购，累计数额超过公开招标数额标准的，属于化整为零",
            a39="从评审专家库中随机抽取评审专家",
        ),
        31: Article("招标文件的提供期限不得少于5个工作日；修改至少15日前", ((5, WORKING), (15, NATURAL))),
        33: Article("自合同签订之日起5个工作日内退还中标供应商的投标保证金", _of(5, WORKING)),
        38: Article(
            "达到公开招标数额标准，只能从唯一供应商处采购的……公示期不得少于5个工作日", _of(5, WORKING)
        ),
        43: Article(
            "评审结束2个工作日内送交报告，5个工作日内按顺序确定，2个工作日内公告结果",
            ((2, WORKING), (5, WORKING)),
        ),
        50: Article("自合同签订之日起2个工作日内公告", _of(2, WORKING)),
    },
)

_DISCLOSURE: Final = Statute(
    "2019-04-03",
    {
        **_plain(a17="应当依照保守国家秘密法……对拟公开的政府信息进行审查", a36="不予公开……说明理由"),
        26: Article("自形成或者变更之日起20个工作日内", _of(20, WORKING)),
        30: Article("7个工作日内一次性告知补正；答复期限自收到补正的申请之日起计算", _of(7, WORKING)),
        32: Article("第三方应当自收到征求意见书之日起15个工作日内提出意见", _of(15, WORKING)),
        33: Article(
            "自收到申请之日起20个工作日内，延长最长20个工作日；征求第三方和其他机关意见的时间不计算在内",
            _of(20, WORKING),
        ),
    },
)

_PETITIONS: Final = Statute(
    "2022-02-25",
    {
        **_plain(
            a28="不得推诿、敷衍、拖延",
            a30="不得将检举、揭发材料……转给被检举、揭发的人员或者单位",
            a31="申诉求决类事项……出具信访处理意见书",
            a32="信访处理意见书应当载明投诉请求、事实和理由、处理意见及其依据",
            a46="将检举、揭发材料……转给被检举、揭发的人员或者单位的，严肃处理",
        ),
        22: Article("信访部门应当登记，在15日内处理", _of(15)),
        23: Article("自收到之日起15日内书面告知", _of(15)),
        34: Article("自受理之日起60日内办结，延长不得超过30日", ((60, NATURAL), (30, NATURAL))),
        35: Article("上一级机关、单位自收到复查请求之日起30日内", _of(30)),
        36: Article("自收到复核请求之日起30日内，听证所需时间不计算在内", _of(30)),
    },
)

_RECONSIDERATION: Final = Statute(
    "2023-09-01",
    {
        **_plain(
            a49="应当听取当事人的意见；因当事人原因不能听取的，可以书面审理",
            a61="经负责人同意或者集体讨论通过",
            a75="应当制作行政复议决定书；一经送达，即发生法律效力",
            a77="被申请人应当履行",
        ),
        20: Article("自知道该行政行为之日起六十日内", _of(60)),
        30: Article("收到申请后五日内进行审查；不予受理应当说明理由", _of(5, WORKING)),
        31: Article("自收到申请之日起五日内书面通知补正", _of(5, WORKING)),
        48: Article("自受理之日起七日内发送副本；十日内书面答复", ((7, WORKING), (10, WORKING))),
        54: Article("简易程序：三日内发送副本；五日内书面答复", ((3, WORKING), (5, WORKING))),
        62: Article("自受理之日起六十日内，延长最多三十日；简易程序三十日内", ((60, NATURAL), (30, NATURAL))),
    },
    note="§88: 三日, 五日, 七日, 十日 are working days",
)

STATUTES: Final[Mapping[str, Statute]] = {
    "行政许可法": _LICENSING,
    "行政处罚法": _PENALTIES,
    "行政强制法": _COERCION,
    "招标投标法": _TENDERING,
    "招标投标法实施条例": _TENDERING_RULES,
    "政府采购法": _PROCUREMENT,
    "政府采购法实施条例": _PROCUREMENT_RULES,
    "政府信息公开条例": _DISCLOSURE,
    "信访工作条例": _PETITIONS,
    "行政复议法": _RECONSIDERATION,
    "行政诉讼法": Statute("2017-06-27", {46: Article("自知道之日起六个月内提出")}),
    "村民委员会组织法": Statute(
        "2018-12-29",
        {
            30: Article("一般事项至少每季度公布一次；集体财务往来较多的，财务收支情况应当每月公布一次"),
            32: Article("村务监督委员会……监督村务公开等制度的落实；村民委员会成员及其近亲属不得担任"),
        },
        note="amended with effect from 2026-01-01, which gave these articles other numbers; the amended text was not at hand",
    ),
    "优化营商环境条例": Statute(
        "2019-10-22",
        {
            36: Article("可以在国家规定的时限内进一步压减时间，并应当公开；超过办理时间的，应当公开说明理由"),
            40: Article("行政许可清单……清单之外不得违法实施行政许可"),
        },
    ),
    "预算法": Statute(
        "2018-12-29",
        {
            13: Article("支出必须以经批准的预算为依据，未列入预算的不得支出"),
            52: Article("省级接到中央转移支付后，应当在三十日内下达到县级以上各级政府", _of(30)),
            57: Article("支出必须按照预算执行，不得虚假列支"),
            63: Article("不得擅自改变预算支出的用途"),
        },
    ),
    "审计法": Statute("2021-10-23", {52: Article("被审计单位应当按照规定时间整改审计查出的问题")}),
    "保障中小企业款项支付条例": Statute(
        "2025-03-17",
        {
            9: Article("自交付之日起30日内支付；合同另有约定的，最长不得超过60日", _of(30)),
            10: Article("付款期限自检验或者验收合格之日起算"),
        },
    ),
    "财政违法行为处罚处分条例": Statute(
        "2011-01-08",
        {
            3: Article("违反规定设立财政收入项目，擅自改变范围、标准、对象和期限，缓收、不收"),
            4: Article("滞留、截留、挪用应当上缴的财政收入"),
            6: Article("以虚报、冒领等手段骗取财政资金；违反规定使用财政资金"),
        },
    ),
    "社会救助暂行办法": Statute(
        "2019-03-02",
        {
            13: Article("对人口状况、收入状况、财产状况定期核查，及时决定增发、减发或者停发"),
            68: Article("采取虚报、隐瞒、伪造等手段，骗取社会救助的，责令退回"),
        },
    ),
    "政府投资条例": Statute(
        "2019-04-14",
        {
            **_plain(
                a9="应当编制项目建议书、可行性研究报告、初步设计，报批",
                a12="概算超过投资估算10%的，应当报告",
                a13="可以简化需要报批的文件和审批程序",
                a20="不符合规定的建设条件的，不得开工建设",
                a21="较大变更的，应当报原审批部门审批",
                a23="建设投资原则上不得超过经核定的投资概算",
                a24="合理确定并严格执行建设工期",
                a25="竣工验收合格后及时办理竣工财务决算",
            )
        },
    ),
    "建设工程质量管理条例": Statute(
        "2019-04-23",
        {
            16: Article("经验收合格的，方可交付使用"),
            49: Article("自竣工验收合格之日起15日内备案", _of(15)),
        },
    ),
    "建筑法": Statute(
        "2019-04-23",
        {
            7: Article("开工前申请领取施工许可证；限额以下的小型工程、批准开工报告的除外"),
            61: Article("经验收合格后，方可交付使用"),
        },
    ),
    "义务教育法": Statute(
        "2018-12-29",
        {
            2: Article("不收学费、杂费"),
            25: Article("学校不得违反国家规定收取费用，不得推销商品、服务谋取利益"),
            56: Article("违反国家规定收取费用的，责令退还"),
        },
    ),
    "安全生产法": Statute(
        "2021-06-10",
        {
            62: Article("制定年度监督检查计划，并按照计划进行监督检查"),
            65: Article("对检查中发现的事故隐患，应当责令立即排除；违法行为，限期改正"),
        },
    ),
    "财建〔2016〕503号": Statute(
        "2016-06-30",
        {2: Article("完工可投入使用或者试运行合格后，应当在3个月内编报竣工财务决算", _of(92))},
        note="three months are 92 days at the longest; read in an excerpt only",
    ),
    "国办发〔2019〕51号": Statute(
        "2019-12-03", note="差评回访核实、限期整改; it names no number of days; read in an excerpt only"
    ),
    "国办发〔2018〕118号": Statute("2018", read=False, note="重大执法决定法制审核"),
    "国办发〔2020〕53号": Statute("2020", read=False, note="政务服务便民热线; it names no number of days"),
    "国办发〔2024〕54号": Statute("2024", read=False, note="严格规范涉企行政检查"),
    "国办发〔2015〕7号": Statute("2015", read=False, note="药品从交货验收合格到付款不超过30天"),
    "教财〔2020〕5号": Statute("2020", read=False, note="教育收费管理"),
    "招标拍卖挂牌出让国有建设用地使用权规定": Statute(
        "国土资源部令第39号", read=False, note="至少20日前公告；10个工作日内公布结果"
    ),
    "企业国有资产交易监督管理办法": Statute(
        "国资委、财政部令第32号",
        read=False,
        note="产权转让20个工作日，增资40个工作日，资产转让10或者20个工作日",
    ),
    "财政部令第87号": Statute("2017", read=False, note="政府采购货物和服务招标投标管理办法"),
    "政府非税收入管理办法": Statute("财税〔2016〕33号", read=False),
    "财政票据管理办法": Statute("财政部令第70号", read=False),
    "行政事业单位内部控制规范": Statute("财会〔2012〕21号", read=False, note="不相容岗位相互分离"),
    "GB/T 30428": Statute(
        "数字化城市管理信息系统", read=False, note="the stages; it leaves their lengths to the place"
    ),
    "GB/T 36112—2018": Statute(
        "政务服务中心服务现场管理规范", read=False, note="it leaves the minutes to the place"
    ),
}
"""Every statute that a rule may cite, by the name it is cited by."""


def citations(basis: str) -> Iterator[Citation]:
    """The parts of a rule's legal basis, `name §n, §m; name …`.

    Raises `LookupError` for a name that is neither a statute nor a mark, and for an article that nobody read.
    """
    for part in basis.split("; "):
        name, *numbers = part.replace(", §", " §").split(" §")
        if name in MARKS:
            yield Citation(name)
            continue
        if name not in STATUTES:
            raise LookupError(f"{basis}: {name} is not among the statutes")
        articles = tuple(int(number.partition("(")[0]) for number in numbers)
        unread = [number for number in articles if number not in STATUTES[name].articles]
        if unread:
            raise LookupError(f"{basis}: nothing is written down of {name} §{unread[0]}")
        yield Citation(name, articles)


def lengths(basis: str) -> set[Length]:
    """The limits that the articles of a legal basis set."""
    return {
        length
        for cited in citations(basis)
        for number in cited.articles
        for length in STATUTES[cited.name].articles[number].lengths
    }
