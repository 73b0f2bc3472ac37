//! The words beside a place's name that say what it means there: «область», «громада», «вулиця»,
//! «річка», «імені», «нагадаємо».

use crate::classify::lexicon::Builder;
use crate::classify::lexicon::Lexicon;
use crate::model::id::Digest;
use std::ops::BitOr;
use std::ops::BitOrAssign;

/// What a word says of its neighbours: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cues(u64);

impl Cues {
    /// «область», «обл.», «області».
    pub(crate) const OBLAST: Self = Self(1);
    /// What governs an oblast: «ОВА», «обласна рада».
    pub(crate) const OBLAST_BODY: Self = Self(1 << 1);
    /// «громада», «ТГ».
    pub(crate) const HROMADA: Self = Self(1 << 2);
    /// What governs a community: «рада», «голова», «виконком».
    pub(crate) const COUNCIL: Self = Self(1 << 3);
    /// «міська», «міський».
    pub(crate) const OF_CITY: Self = Self(1 << 4);
    /// «селищна».
    pub(crate) const OF_TOWN: Self = Self(1 << 5);
    /// «сільська».
    pub(crate) const OF_VILLAGE: Self = Self(1 << 6);
    /// «територіальна», «об’єднана», «військова».
    pub(crate) const OF_TERRITORY: Self = Self(1 << 7);
    /// «район», «РВА», «районна».
    pub(crate) const DISTRICT: Self = Self(1 << 8);
    /// «м.», «місто», «у місті».
    pub(crate) const CITY: Self = Self(1 << 9);
    /// «селище», «смт», «село», «с.».
    pub(crate) const SETTLEMENT: Self = Self(1 << 10);
    /// «вулиця», «метро», «шосе».
    pub(crate) const STREET: Self = Self(1 << 11);
    /// «річка», «берег», «русло».
    pub(crate) const RIVER: Self = Self(1 << 12);
    /// «ФК», «Динамо».
    pub(crate) const CLUB: Self = Self(1 << 13);
    /// «імені».
    pub(crate) const NAMED: Self = Self(1 << 14);
    /// A given name.
    pub(crate) const GIVEN_NAME: Self = Self(1 << 15);
    /// What a government does: «закликав», «повідомляє».
    pub(crate) const SPEAKS: Self = Self(1 << 16);
    /// What follows is told again: «нагадаємо», «раніше».
    pub(crate) const AGAIN: Self = Self(1 << 17);
    /// From elsewhere: «переміщений», «уродженець».
    pub(crate) const ORIGIN: Self = Self(1 << 18);
    /// «потяг», «рейс», «траса».
    pub(crate) const ROUTE: Self = Self(1 << 19);
    /// «офіційний»: of a capital that stands for its government.
    pub(crate) const OFFICIAL: Self = Self(1 << 20);
    /// «університет», «академія».
    pub(crate) const SCHOOL: Self = Self(1 << 21);
    /// «та», «і», «а також».
    pub(crate) const AND: Self = Self(1 << 22);
    /// «регіон», "region": in languages where it stands before the name.
    pub(crate) const REGION_OF: Self = Self(1 << 23);
    /// «на», «через», «по»: a city stands in «у», a river in these.
    pub(crate) const ACROSS: Self = Self(1 << 24);
    /// «побратим», «партнер».
    pub(crate) const TWIN: Self = Self(1 << 25);
    /// «у», «в», «із», "in": where something is.
    pub(crate) const IN: Self = Self(1 << 26);
    /// «напрямок»: of a front, or of a road.
    pub(crate) const DIRECTION: Self = Self(1 << 28);
    /// Another capital, or a country, of which a government is spoken.
    pub(crate) const CAPITAL: Self = Self(1 << 27);

    /// What is cooked after a city: «галушки», «молоко».
    pub(crate) const FOOD: Self = Self(1 << 29);
    /// «під», «біля», «поблизу»: beside a city, not in it.
    pub(crate) const NEAR: Self = Self(1 << 30);
    /// «загинув», «полеглий», «боях»: where a soldier fell is not where he is mourned.
    pub(crate) const FALLEN: Self = Self(1 << 31);
    /// «з», «із»: who comes from there is elsewhere.
    pub(crate) const FROM: Self = Self(1 << 32);
    /// «Техас»: a city of that name lies there too.
    pub(crate) const ABROAD: Self = Self(1 << 34);
    /// «Чорногорський»: the city that follows lies there.
    pub(crate) const FOREIGN: Self = Self(1 << 35);
    /// «механізована», «батальйон»: of troops that bear the name of a city.
    pub(crate) const UNIT: Self = Self(1 << 36);
    /// «Уряд», «Кабмін»: what is done for the whole country.
    pub(crate) const NATIONAL: Self = Self(1 << 33);

    /// No cue.
    pub(crate) const NONE: Self = Self(0);

    /// Whether it has any of some cues.
    #[must_use]
    pub(crate) fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Cues {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Cues {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The words of each cue, parted by spaces; `_` joins the words of a phrase.
const WORDS: &[(Cues, &str)] = &[
    (
        Cues::OBLAST,
        "область області области областью областю областей областям областях областями обл областью областям \
         областях областями obwód obwodu obwodzie obwodem oblast",
    ),
    (
        Cues::OBLAST_BODY,
        "ова ода облрада облради облраді облраду облрадою облдержадміністраці* обласн* облвно \
         облздрав* обленерго областн* облсовет* обладминистрац* облвійськадміністраці*",
    ),
    (
        Cues::HROMADA,
        "громада громади громаді громаду громадою громад громадам громадами громадах тг отг мтг стг \
         смтг мотг hromada hromadas громады громаде hromady gromada",
    ),
    (
        Cues::COUNCIL,
        "рада ради раді раду радою рад радам радах міськрад* сільрад* сільвиконком* міськвиконком* виконком* \
         голова голови голову головою голові мва сва військов* адміністраці* старост* \
         міськуправлінн* мерія мерії мерію мер мера мером меру тцк лікарн* ліце* гімназі* \
         комунальн* совет* горсовет* горисполком* council mayor",
    ),
    (
        Cues::OF_CITY,
        "міськ* городск* city municipal мва мтг мотг міськрад* міськвиконком* горсовет*",
    ),
    (Cues::OF_TOWN, "селищн* поселков*"),
    (Cues::OF_VILLAGE, "сільськ* сельск* сільрад* сільвиконком*"),
    (Cues::OF_TERRITORY, "територіальн* об'єднан* військов* объединенн* territorial военн*"),
    (
        Cues::DISTRICT,
        "район району районі районом районів районам районах районами р-н р-ну р-ні рва рда райрад* \
         районн* райвійськадміністраці* районе района raion district",
    ),
    (
        Cues::CITY,
        "м місто міста місту містом місті міст містам містах город города городе городу городом \
         city stadt miasto miasta mieście ville",
    ),
    (
        Cues::SETTLEMENT,
        "смт с с-ще село села селі селу селом селище селища селищі селищу селищем сіл селах \
         поселок поселке village",
    ),
    (
        Cues::STREET,
        "вул вулиц* просп проспект* площ* пл бульвар* бул бульв провул* пров узвіз узвоз* шосе траса \
         траси трасі трасу трасою мікрорайон* масив* набережн* сквер* метро метростанц* станці* \
         улиц* street avenue вокзал* парк* парку перехрест* розв'язк* мост* міст_через шлях шляху \
         шляхом ulica ulicy straße зупинк*",
    ),
    (
        Cues::RIVER,
        "сіверський_донець сіверського_дінця сіверським_дінцем сіверському_дінці острів остров* річк* річц* рік* ріка ріки ріку рікою русл* берег* гирл* басейн* водосховищ* судноплав* \
         приток* переправ* заплав* дельт* акваторі* човн* обмілі* гідролог* рівень_води рівня_води рівні_води рівнем_води навігаці* водолаз* утонув потонув рибалк* паводк* повін* \
         дамб* плес* рек* реки реке реку river rivers водойм* рибн* нерест* гідропост*",
    ),
    (
        Cues::CLUB,
        "фк мфк спк бк хк вк жфк клуб* футболіст* динамо шахтар команд* fc футбольн* матч* волейбольн* \
         баскетбольн* хокейн* гравц* металіст металіста карпати карпат ворскла ворскли зоря зорі \
         кривбас кривбаса верес вереса чорноморець чорноморця лнз orchestra",
    ),
    (Cues::NAMED, "імені ім ордена пам'яті орден пам'ятник* памятник* имени"),
    (
        Cues::SPEAKS,
        "повідомля* повідомив запевнив запевняє назвав привітав визнав визнає прагне пообіцяв \
         обіцяє нагадав заявля* заявив заявила заявило закликав закликає закликали вимагає вимагав \
         відреагував реагує готовий готове очікує очікувал* отримав отримує отримає підтвердив \
         підтверджує наголошує наголосив просить попросив чекає розраховує сподівається відповів \
         відповідає відкидає відкинув спростував спростовує запропонував пропонує звинуватив \
         звинувачує висловив висловлює домагається підписав веде вестиме розриває висунув \
         передав передає обговорює направив офіційно не says urges wants calls hopes expects \
         принимает заявил призвал требует получил получит ждет просит вважає наполягає наполіг \
         відреагували прокоментували відповіли отреагировали прокомментировали ответили \
         подякував дякує відмовився відмовляється схвалив погодився засудив засуджує",
    ),
    (
        Cues::AGAIN,
        "нагадаємо нагадаю нагадуємо раніше довідково довідка до_слова як_повідомлялося напомним ранее \
         зазначимо_також також_повідомляється читайте_також раніше_повідомлялося до_речі \
         previously reminder",
    ),
    (
        Cues::ORIGIN,
        "переміщен* релокован* евакуйован* евакуйовн* переселенц* переселенець переселенк* впо уродженц* \
         уродженець уродженк* родом вихідц* вихідець колишн* евакуаці* виїхал* displaced \
         эвакуированн* переселенцы біженц* прибул* з-під",
    ),
    (
        Cues::ROUTE,
        "потяг* поїзд* рейс* маршрут* сполученням сполучення автобус* електричк* траса траси трасі \
         трасу автодорог* дорога дороги дорозі дорогу авіарейс* train trains",
    ),
    (Cues::OFFICIAL, "офіційний офіційного офіційному официальный official"),
    (
        Cues::SCHOOL,
        "трагеді* зразк* зразок університет* академі* інститут* школа_економіки школи_економіки школу_економіки \
         школою_економіки школі_економіки university school_of_economics консерваторі*",
    ),
    (Cues::AND, "та і й або чи а також и или and oraz und et як"),
    (Cues::REGION_OF, "oblast region gebiet région region_of obwód obwodzie obwodu province"),
    (Cues::ACROSS, "на через по над понад вздовж уздовж біля з-над"),
    (Cues::TWIN, "побратим* міст-побратим* місто-побратим* партнер* twin sister"),
    (
        Cues::IN,
        "у в із з зі до для in w do we im nach aus à de from of по мешканц* жител* жителі жителів",
    ),
    (
        Cues::FOOD,
        "галушк* молоко молока котлет* борщ* торт* вареник* сир сиру масло ковбас* кефір* сало сала \
         цукерк* пиво пива хліб хліба пиріг пирог* сирник* струдел* пляцк* шоколад* кава кави каву",
    ),
    (
        Cues::FALLEN,
        "загинув загиблого загиблому загиблий загиблим полегл* поліг воював воювала боях бою боєм бої \
         боїв бойов* служив народився народилася обороняючи захищаючи обороняв захищав \
         фронті погиб погибшего",
    ),
    (Cues::FROM, "з із зі from"),
    (
        Cues::FOREIGN,
        "чорногорськ* румунськ* польськ* французьк* американськ* канадськ* болгарськ* хорватськ* \
         молдовськ* російськ* австралійськ* американск* российск*",
    ),
    (
        Cues::UNIT,
        "механізован* гірсько-штурмов* гірсько-піхотн* десантно-штурмов* артилерійськ* танков* тро \
         тероборон* батальйон* полк полку корвет* фрегат* катер катера",
    ),
    (
        Cues::ABROAD,
        "штат* texas техас* delaware делавер* ontario онтаріо флорид* florida missouri міссурі",
    ),
    (
        Cues::NATIONAL,
        "уряд уряду урядом кабмін* кабінет_міністрів верховна_рада верховної_ради верховній_раді \
         президент президента президентом міністр міністра міністерств* мінфін* міненерго моз мон мвс набу сап сбу дбр \
         мінцифри мінветеранів генштаб* держбюджет* україна україні україною укренерго укрзалізниц* \
         прем’єр-міністр* правительств* government ministry ukraine країні країни",
    ),
    (Cues::NEAR, "під біля поблизу неподалік недалеко_від поруч_із поруч_з near outside под возле"),
    (Cues::DIRECTION, "напрямок напрямку напрямком напрямки напрямках напрямків направлении"),
    (
        Cues::CAPITAL,
        "варшав* брюссел* берлін* вашингтон* москв* париж* лондон* анкар* пекін* прага прагою \
         будапешт* вільнюс* братислав* кремл* нато єс мвф warsaw brussels berlin washington moscow \
         бухарест* кишинів* кишинев*",
    ),
];

/// Given names by their stems, the commonest of those that streets, schools and officials bear.
const GIVEN_NAMES: &str = "богдан* роман* іван* петр* василь* василя микол* олександр* володимир* \
    сергі* андрі* юрі* михайл* дмитр* олег* віктор* віталі* анатолі* григорі* євген* ігор* максим* \
    тарас* степан* павл* ярослав* ростислав* станіслав* вадим* валері* олексі* артем* денис* кирил* \
    назар* остап* марк* марко леонід* борис* едуард* данил* данило антон* костянтин* тимофі* \
    святослав* мар'ян* любомир* руслан* олен* ольг* наталі* тетян* ірин* оксан* людмил* світлан* \
    марі* галин* юлі* катерин* вікторі* ганн* анн* лес* лесі валентин* надії лариса лариси ларис* \
    христин* соломі* зінаїд* богдана дарія дар'я* софі* єлизавет* леся устим* пилип* пантелеймон* \
    філіп* федір федор* яків яков* лев льва данилишин іларіон* mykola oleksandr roman bohdan";

/// The lexicon of all cues.
#[must_use]
pub(crate) fn lexicon() -> Lexicon<Cues> {
    let mut builder = Builder::default();
    for (cues, words) in WORDS.iter().chain([&(Cues::GIVEN_NAME, GIVEN_NAMES)]) {
        for phrase in words.split_whitespace() {
            builder.add(&phrase.replace('_', " "), *cues);
        }
    }
    builder.build()
}

/// What the cues are, in short.
#[must_use]
pub(crate) fn digest() -> String {
    let words = WORDS.iter().map(|(_, words)| *words).chain([GIVEN_NAMES]);
    Digest::of(words).to_string()
}
