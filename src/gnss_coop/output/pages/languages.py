"""Words of the station report: a table of English, Russian and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gnss_coop.errors import OutputError
from gnss_coop.model.systems import SYSTEMS

LANGUAGES: Final = ("en", "ru", "zh")

#: English, Russian, Chinese. Names in braces are filled in.
TEXTS: Final[dict[str, tuple[str, str, str]]] = {
    # Systems
    "G": ("GPS", "GPS", "GPS"),
    "R": ("GLONASS", "ГЛОНАСС", "格洛纳斯"),
    "E": ("Galileo", "Galileo", "伽利略"),
    "C": ("BeiDou", "BeiDou", "北斗"),
    "J": ("QZSS", "QZSS", "准天顶"),
    "I": ("NavIC", "NavIC", "NavIC"),
    "S": ("SBAS", "SBAS", "SBAS"),
    # Pages
    "report": ("Station visibility report", "Отчёт о видимости спутников", "测站可见性报告"),
    "all_stations": ("All stations", "Все станции", "全部测站"),
    "contents": ("Contents", "Содержание", "目录"),
    "stations": ("Stations", "Станции", "测站"),
    "conditions": ("Station and conditions", "Станция и условия", "测站与条件"),
    "shared_conditions": ("Conditions", "Условия", "条件"),
    "data": ("Data files", "Файлы данных", "数据文件"),
    "tables": ("Tables", "Таблицы", "数据表"),
    "tables_note": (
        "The same numbers for all stations, as CSV and Parquet, are in the folder data beside these pages.",
        "Те же данные по всем станциям в форматах CSV и Parquet находятся в папке data рядом со страницами.",
        "全部测站的相同数据以 CSV 和 Parquet 格式存放在本页旁的 data 文件夹中。",
    ),
    # Header
    "station": ("Station", "Станция", "测站"),
    "marker": ("Marker, DOMES", "Маркер, DOMES", "标志点，DOMES"),
    "coordinates": ("Latitude, longitude, height", "Широта, долгота, высота", "纬度、经度、高程"),
    "ecef": ("X, Y, Z [m]", "X, Y, Z [м]", "X、Y、Z [m]"),
    "frame": ("Frame, epoch", "Система координат, эпоха", "坐标框架，历元"),
    "source": ("Source", "Источник", "来源"),
    "horizon": ("Horizon", "Горизонт", "地平遮挡"),
    "horizon_open": ("open", "открытый", "无遮挡"),
    "horizon_corners": ("{n} corners", "точек профиля: {n}", "{n} 个折点"),
    "span": ("Span (GPST)", "Интервал (GPST)", "时段 (GPST)"),
    "step": ("Step", "Шаг", "步长"),
    "masks": ("Elevation masks", "Маски по углу места", "截止高度角"),
    "first_mask": ("figures: {mask}°", "на рисунках: {mask}°", "图中：{mask}°"),
    "scenarios": ("Scenarios", "Сценарии", "方案"),
    "clocks": ("Receiver clocks", "Часы приёмника", "接收机钟差"),
    "per-system": (
        "one estimated per system",
        "оцениваются отдельно для каждой системы",
        "每个系统各估计一个",
    ),
    "common": ("offsets between systems known", "сдвиги между системами известны", "系统间偏差已知"),
    "prior": (
        "offsets between systems known to {ns} ns",
        "сдвиги между системами известны до {ns} нс",
        "系统间偏差已知，精度 {ns} ns",
    ),
    "rule": ("Available when", "Доступность", "可用条件"),
    "orbits": ("Satellite positions", "Положения спутников", "卫星位置"),
    "broadcast": (
        "broadcast ephemerides, frame as broadcast",
        "бортовые эфемериды в передаваемой системе координат",
        "广播星历，采用播发坐标框架",
    ),
    "itrf": ("broadcast ephemerides, ITRF", "бортовые эфемериды, ITRF", "广播星历，ITRF"),
    "file": ("File", "Файл", "文件"),
    "bytes": ("Bytes", "Байты", "字节"),
    "sha256": ("SHA-256", "SHA-256", "SHA-256"),
    # Gain
    "gain": ("What the systems gain from each other", "Взаимный выигрыш систем", "系统互补增益"),
    "gain_sentence": (
        "{joint} instead of {alone}, mask {mask}°: PDOP ≤ {limit} holds {share} of the time instead of {share_alone}; "
        "the median PDOP is {pdop} instead of {pdop_alone}.",
        "{joint} вместо {alone}, маска {mask}°: PDOP ≤ {limit} в течение {share} времени вместо {share_alone}; "
        "медиана PDOP {pdop} вместо {pdop_alone}.",
        "以 {joint} 代替 {alone}，截止高度角 {mask}°：PDOP ≤ {limit} 的时间占 {share}，原为 {share_alone}；"
        "PDOP 中位数为 {pdop}，原为 {pdop_alone}。",
    ),
    "gain_note": (
        "Gain: of the row's systems when supplemented. An epoch without a solution counts as the worst; “none”: the "
        "median or percentile falls among such epochs.",
        "Выигрыш: системы строки при дополнении другой. Эпоха без решения считается худшей; «нет»: медиана или "
        "процентиль приходится на такие эпохи.",
        "增益：该行系统得到补充后的改善。无解历元按最差计；“无”表示中位数或百分位数落在此类历元。",
    ),
    "mask": ("Mask [deg]", "Маска [°]", "截止角 [°]"),
    "systems": ("Systems", "Системы", "系统"),
    "used_mean": ("Satellites, mean", "Спутники, среднее", "卫星数均值"),
    "used_least": ("least", "наименьшее", "最少"),
    "pdop_median": ("PDOP, median", "PDOP, медиана", "PDOP 中位数"),
    "pdop_p95": ("PDOP, 95 %", "PDOP, 95 %", "PDOP 95 %"),
    "hdop_median": ("HDOP, median", "HDOP, медиана", "HDOP 中位数"),
    "vdop_median": ("VDOP, median", "VDOP, медиана", "VDOP 中位数"),
    "availability": ("Availability [%]", "Доступность [%]", "可用率 [%]"),
    "pdop_drop": ("PDOP gain [%]", "Выигрыш PDOP [%]", "PDOP 改善 [%]"),
    "availability_gain": ("Availability gain [points]", "Выигрыш доступности [п. п.]", "可用率增益 [百分点]"),
    "none": ("none", "нет", "无"),
    # Figures
    "time": ("GPST, from", "GPST, начиная с", "GPST，起始日期"),
    "satellites": ("satellites", "спутники", "卫星数"),
    "mean_satellites": ("mean number", "среднее число", "平均颗数"),
    "elevation": ("elevation [deg]", "угол места [°]", "高度角 [°]"),
    "limit": ("limit", "предел", "限值"),
    "median_pdop": ("median PDOP", "медиана PDOP", "PDOP 中位数"),
    "heading": (
        "{what}, elevation mask {mask}°, {span} GPST",
        "{what}, маска {mask}°, {span} GPST",
        "{what}，截止高度角 {mask}°，{span} GPST",
    ),
    "heading_of_all": ("{what}, {span} GPST", "{what}, {span} GPST", "{what}，{span} GPST"),
    "what_sky": ("Tracks of satellites in view", "Траектории видимых спутников", "可见卫星轨迹"),
    "what_passes": ("Passes of satellites", "Прохождения спутников", "卫星过境"),
    "what_in_view": ("Number of satellites in view", "Число видимых спутников", "可见卫星数"),
    "what_dop": ("PDOP, HDOP and VDOP", "PDOP, HDOP и VDOP", "PDOP、HDOP 与 VDOP"),
    "what_elevation": (
        "Mean number of satellites by elevation",
        "Среднее число спутников по углам места",
        "各高度角平均卫星数",
    ),
    "what_state": ("State of the ephemerides", "Состояние эфемерид", "星历状态"),
    "what_tracking": (
        "Share of epochs tracked by elevation",
        "Доля принятых эпох по углам места",
        "各高度角跟踪历元比例",
    ),
    "what_comparison": ("Median PDOP by elevation mask", "Медиана PDOP по маскам", "各截止高度角 PDOP 中位数"),
    "fig_sky": ("Sky", "Небосвод", "天空图"),
    "alt_sky": (
        "Sky plots of {systems} above {station}: tracks of {n} satellites, north up, the zenith in the middle.",
        "Карты неба для {systems}, {station}: траектории {n} спутников, север сверху, зенит в центре.",
        "{station} 上空 {systems} 天空图：{n} 颗卫星的轨迹，上北，中心为天顶。",
    ),
    "note_sky": (
        "North is up, east on the right, the zenith in the middle. Dots are full hours (small figures: hour of GPST), "
        "bold figures satellites; shaded: below the mask of {mask}° or the station's horizon.",
        "Север сверху, восток справа, зенит в центре. Точки: целые часы (мелкие цифры: час GPST), полужирные цифры: "
        "спутники; затенено: ниже маски {mask}° или горизонта станции.",
        "上北右东，中心为天顶。圆点为整点（小号数字：GPST 小时），粗体数字为卫星号；"
        "阴影：低于 {mask}° 截止角或测站地平。",
    ),
    "sky_first_hours": (
        "Tracks of the first {hours} hours.",
        "Показаны траектории за первые {hours} ч.",
        "仅绘出前 {hours} 小时的轨迹。",
    ),
    "sky_learned": (
        "Dotted arcs: the lowest elevations that the receiver tracked, where satellites below were missed or the sky "
        "is open.",
        "Пунктирные дуги: наименьшие углы места, принятые приёмником, где спутники ниже пропущены или небо открыто.",
        "点弧：接收机跟踪到的最低高度角（其下卫星漏跟或天空开阔的方向）。",
    ),
    "fig_passes": ("Passes", "Прохождения", "过境"),
    "alt_passes": (
        "Chart of {n} passes over {station}: one row a satellite, a bar from rise to set.",
        "Диаграмма {n} прохождений над {station}: строка на спутник, полоса от восхода до захода.",
        "{station} 的 {n} 次过境图：每颗卫星一行，横条从升起到落下。",
    ),
    "note_passes": (
        "A gap in a bar is the culmination. Arrowheads: the pass is cut by the span or by a missing ephemeris.",
        "Просвет в полосе: кульминация. Стрелки: прохождение обрезано интервалом или отсутствием эфемерид.",
        "横条中的缝为最高点。箭头：过境被时段边界或星历缺失截断。",
    ),
    "fig_in_view": ("Satellites in view", "Видимые спутники", "可见卫星数"),
    "alt_in_view": (
        "Satellites in view of {station} over time. {summary}",
        "Число видимых спутников, {station}. {summary}",
        "{station} 可见卫星数随时间的变化。{summary}",
    ),
    "in_view_range": ("{system}: {low} to {high}", "{system}: от {low} до {high}", "{system}：{low} 至 {high}"),
    "note_in_view": ("Mask {mask}°.", "Маска {mask}°.", "截止高度角 {mask}°。"),
    "fig_dop": ("Dilution of precision", "Геометрический фактор", "精度衰减因子"),
    "alt_dop": (
        "PDOP, HDOP and VDOP over time at {station}. {summary}",
        "PDOP, HDOP и VDOP во времени, {station}. {summary}",
        "{station} 的 PDOP、HDOP、VDOP 随时间的变化。{summary}",
    ),
    "dop_median": ("median PDOP {systems}: {pdop}", "медиана PDOP {systems}: {pdop}", "{systems} PDOP 中位数：{pdop}"),
    "note_dop": (
        "Logarithmic scale, mask {mask}°; values above {top} are off the scale. Ticks at the upper edge: no solution.",
        "Логарифмическая шкала, маска {mask}°; значения выше {top} не показаны. Штрихи у верхнего края: решения нет.",
        "对数坐标，截止高度角 {mask}°；大于 {top} 的值不显示。上缘短线：无解。",
    ),
    "fig_elevation": ("Elevations", "Углы места", "高度角分布"),
    "alt_elevation": (
        "Mean number of satellites of {systems} in steps of {step}° of elevation at {station}.",
        "Среднее число спутников {systems} по углу места с шагом {step}°, {station}.",
        "{station} 按 {step}° 高度角分组的 {systems} 平均卫星数。",
    ),
    "note_elevation": (
        "Filled: visible; outlined: above the horizontal plane but below mask or horizon.",
        "Закрашено: видимые; контур: выше горизонтальной плоскости, но ниже маски или горизонта.",
        "实心：可见；空心：高于水平面但低于截止角或地平遮挡。",
    ),
    "fig_state": ("Ephemerides: health and age", "Эфемериды: исправность и возраст", "星历健康状态与龄期"),
    "alt_state": (
        "Chart of {n} satellites that lacked a healthy ephemeris for some time.",
        "Диаграмма для {n} спутников, у которых временами не было исправных эфемерид.",
        "{n} 颗曾缺少健康星历的卫星的状态图。",
    ),
    "note_state": (
        "Only satellites that lacked a healthy ephemeris at some time. Thick bar: healthy; thin line: unhealthy; "
        "blank: no valid ephemeris.",
        "Только спутники, временами не имевшие исправных эфемерид. Толстая полоса: исправен; тонкая линия: "
        "неисправен; пусто: эфемерид нет.",
        "仅列出曾缺少健康星历的卫星。粗条：健康；细线：不健康；空白：无可用星历。",
    ),
    "all_healthy": (
        "All satellites had a healthy ephemeris at all times.",
        "У всех спутников постоянно были исправные эфемериды.",
        "所有卫星始终具有健康星历。",
    ),
    "system": ("System", "Система", "系统"),
    "n_satellites": ("Satellites", "Спутники", "卫星数"),
    "covered": ("With ephemeris [%]", "С эфемеридами [%]", "有星历 [%]"),
    "healthy": ("Healthy [%]", "Исправны [%]", "健康 [%]"),
    "age_median": ("Age, median [min]", "Возраст, медиана [мин]", "龄期中位数 [分]"),
    "age_max": ("Age, largest [min]", "Возраст, макс. [мин]", "最大龄期 [分]"),
    # Forecast
    "forecast": ("Forecast", "Прогноз", "预报"),
    "forecast_fact": (
        "{pct} % of the epochs hold satellites beyond their ephemerides, up to {days} days; expected error up to "
        "{error}° seen from the Earth's centre, more after a manoeuvre. Shaded in the figures over time.",
        "{pct} % эпох содержат спутники за пределами эфемерид, до {days} сут; ожидаемая погрешность до {error}° из "
        "центра Земли, после манёвра больше. На графиках во времени затенено.",
        "{pct} % 的历元含有超出星历有效期的卫星，最长 {days} 天；自地心看的预期误差不超过 {error}°，机动后更大。"
        "时间图中以阴影表示。",
    ),
    # Predicted against tracked
    "tracking": ("Predicted against tracked", "Прогноз и фактическое слежение", "预测与实际跟踪"),
    "alt_tracking": (
        "Share of the expected epochs that the receiver at {station} tracked, by elevation; numbers in the tables.",
        "Доля ожидаемых эпох, принятых приёмником ({station}), по углу места; числа в таблицах.",
        "{station} 接收机按高度角的跟踪比例；数值见表。",
    ),
    "note_tracking": (
        "Share of the expected satellite epochs that were tracked, by elevation; dotted: the mask of {mask}°.",
        "Доля ожидаемых спутнико-эпох, которые были приняты, по углу места; пунктир: маска {mask}°.",
        "按高度角统计的预期卫星历元跟踪比例；点线：{mask}° 截止角。",
    ),
    "share_tracked": ("tracked [%]", "принято [%]", "跟踪率 [%]"),
    "tracking_span": ("Observations", "Наблюдения", "观测"),
    "tracking_epochs": ("Epochs, there / due", "Эпохи, есть / должно быть", "历元：实有 / 应有"),
    "predicted": (
        "Tracked and predicted above the true horizon",
        "Принято и предсказано выше истинного горизонта",
        "已跟踪且预测在真地平以上",
    ),
    "predicted_known": (
        "The same, where there is an ephemeris",
        "То же при наличии эфемерид",
        "同上，仅限有星历者",
    ),
    "remark": ("Remark", "Примечание", "备注"),
    "tracked_of": ("Satellites seen / all", "Спутники: приняты / все", "卫星：已见 / 全部"),
    "n_expected": ("Expected", "Ожидалось", "预期"),
    "n_tracked": ("Tracked", "Принято", "已跟踪"),
    "n_missed": ("Missed", "Пропущено", "漏跟"),
    "n_below_mask": ("Below mask", "Ниже маски", "低于截止角"),
    "n_unhealthy": ("Unhealthy", "Неисправны", "不健康"),
    "n_no_ephemeris": ("No ephemeris", "Нет эфемерид", "无星历"),
    "n_below_horizon": ("Below 0°", "Ниже 0°", "低于 0°"),
    "complete": ("Satellites seen: complete [%]", "Полнота принятых [%]", "已见卫星完整率 [%]"),
    "never_tracked": ("Never tracked", "Никогда не приняты", "从未跟踪"),
    "gaps": ("Gaps, the longest first", "Перерывы, сначала самые долгие", "中断（最长者在前）"),
    "exceptions": (
        "Tracked though not predicted as usable",
        "Приняты, хотя не предсказаны как пригодные",
        "已跟踪但未预测为可用",
    ),
    "epochs": ("Epochs", "Эпохи", "历元数"),
    "reason": ("Reason", "Причина", "原因"),
    "kind": ("Kind", "Вид", "类型"),
    "duration_s": ("Length [s]", "Длительность [с]", "时长 [秒]"),
    "tracking_more": (
        "Tables show at most {n} rows; all of them, and the learned horizon, are in the folder data.",
        "В таблицах не более {n} строк; все строки и выученный горизонт находятся в папке data.",
        "各表最多显示 {n} 行；全部数据和学习得到的地平遮挡见 data 文件夹。",
    ),
    # What the analysis says in English
    "says_header": ("header of the observation file", "заголовок файла наблюдений", "观测文件头"),
    "says_all": ("all", "все", "全部"),
    "says_rise": ("rise", "восход", "升起"),
    "says_set": ("set", "заход", "落下"),
    "says_within": ("within", "внутри", "中段"),
    "says_whole": ("whole", "целиком", "全程"),
    "says_no_epochs": ("no epochs", "нет эпох", "无历元"),
    "says_no_signals": (
        "neither the header nor any epoch has {system}: it is not tracked, or was left out when the file was made",
        "{system} нет ни в заголовке, ни в эпохах: система не принимается или опущена при создании файла",
        "文件头和历元中均无 {system}：未跟踪，或生成文件时被略去",
    ),
    "says_always_unhealthy": ("unhealthy all the time", "всё время неисправен", "始终不健康"),
    "says_no_satellite": (
        "no satellite of {system} was tracked: the receiver is not set to it, or cannot",
        "не принят ни один спутник {system}: приёмник не настроен на неё или не умеет",
        "未跟踪到 {system} 的任何卫星：接收机未设置或不支持",
    ),
    "says_unknown_numbers": (
        "none above {sv} was tracked: the receiver may not know these numbers",
        "не принят ни один номер выше {sv}: приёмник, возможно, их не знает",
        "{sv} 以上的卫星均未跟踪：接收机可能不识别这些编号",
    ),
    "says_unexplained": (
        "not explained by the files: an obstacle, a setting, or no signal that the receiver knows",
        "файлами не объясняется: препятствие, настройка или нет известного приёмнику сигнала",
        "文件无法解释：遮挡、设置，或没有接收机支持的信号",
    ),
    "says_rejected": (
        "no valid ephemeris: records of it were rejected as damaged",
        "нет эфемерид на эти эпохи: записи отвергнуты как повреждённые",
        "该时段无星历：其记录因损坏被拒绝",
    ),
    "says_out_of_reach": (
        "no valid ephemeris at these epochs",
        "нет действующих эфемерид на эти эпохи",
        "这些历元无有效星历",
    ),
    "says_not_in_files": (
        "no ephemeris of the satellite in the files",
        "в файлах нет эфемерид спутника",
        "文件中没有该卫星的星历",
    ),
    "says_unhealthy": ("unhealthy", "неисправен", "不健康"),
    "says_sunk": ("below the true horizon (0 deg)", "ниже истинного горизонта (0°)", "低于真地平 (0°)"),
    "says_without_nav": (
        "{n} tracked satellite-epochs of {names} are left out: there are no ephemerides of them",
        "не учтены спутнико-эпохи систем {names}, принятые без эфемерид: {n}",
        "{names} 无星历，其 {n} 个已跟踪卫星历元未计入",
    ),
    "says_left_out": (
        "left out in the observations: {n} x {what}",
        "опущено в наблюдениях: {n} x {what}",
        "观测中剔除：{n} x {what}",
    ),
    "says_repaired": (
        "read all the same in the observations: {n} x {what}",
        "в наблюдениях прочитано с исправлением: {n} x {what}",
        "观测中修正后读取：{n} x {what}",
    ),
    "says_unannounced": (
        "{n} lines of {system} satellites, which the header does not announce",
        "строк спутников {system}, которой нет в заголовке: {n}",
        "文件头未声明的 {system} 卫星行数：{n}",
    ),
    "says_unknown_letter": (
        "{n} lines of satellites of {letter}, which is not a RINEX system",
        "строк спутников {letter}, не являющейся системой RINEX: {n}",
        "非 RINEX 系统 {letter} 的卫星行数：{n}",
    ),
    "says_bad_epoch": ("epoch line cannot be read", "строка эпохи не читается", "历元行无法读取"),
    "says_bad_date": ("epoch is not a calendar date", "эпоха не является датой", "历元不是有效日期"),
    "says_epoch_twice": ("epoch stands twice", "эпоха повторяется", "历元重复"),
    "says_bad_satellite": (
        "the name of a satellite cannot be read",
        "имя спутника не читается",
        "卫星名称无法读取",
    ),
    "says_bad_field": ("an observation is not a number", "наблюдение не является числом", "观测值不是数字"),
    "says_short": (
        "epoch has fewer lines than it announces; those that it has are used",
        "в эпохе меньше строк, чем объявлено; имеющиеся использованы",
        "历元行数少于声明；已有的行照常使用",
    ),
    "says_short_v2": (
        "epoch has other lines than it announces, and lines of version 2 do not name their satellites",
        "в эпохе не те строки, что объявлены, а строки версии 2 не называют спутников",
        "历元行数与声明不符，且版本 2 的行不含卫星名称",
    ),
    "says_stray": ("lines that belong to no epoch", "строки вне эпох", "不属于任何历元的行"),
    "says_nothing_left": ("nothing is left of the epoch", "от эпохи ничего не осталось", "历元内容全部失效"),
    "says_twice": (
        "a satellite occurs twice in the epoch",
        "спутник повторяется в эпохе",
        "卫星在历元中重复",
    ),
    "says_no_count": (
        "the epoch does not say how many satellites it has",
        "эпоха не указывает числа спутников",
        "历元未说明卫星数",
    ),
    "says_off_grid": (
        "epochs off the grid of the interval (receiver clock jumps): {n}",
        "эпохи вне сетки интервала (скачки часов приёмника): {n}",
        "偏离采样间隔网格的历元（接收机钟跳）：{n}",
    ),
    "says_position_changes": (
        "the position changes within the file by more than 100 m; one position is used for all of it",
        "координаты в файле меняются более чем на 100 м; для всего файла взяты одни",
        "文件内坐标变化超过 100 m；全文件采用同一坐标",
    ),
    "says_new_site": (
        "the file tells of a new site; one position is used for all of it",
        "файл сообщает о новом пункте; для всего файла взяты одни координаты",
        "文件中出现新测站；全文件采用同一坐标",
    ),
    "says_far": (
        "the position in the header is {km} km from the station",
        "координаты в заголовке в {km} км от станции",
        "文件头坐标距测站 {km} km",
    ),
    "says_antenna_moves": (
        "the antenna moves; the position of the header is used for all epochs",
        "антенна движется; для всех эпох взяты координаты заголовка",
        "天线在移动；所有历元采用文件头坐标",
    ),
    # Worst intervals
    "worst": ("Worst intervals", "Худшие интервалы", "最差时段"),
    "worst_note": (
        "The longest intervals with PDOP > {limit} or without a solution; {n} in all, see data/worst_intervals.csv. "
        "Would help: any one of these systems would keep the PDOP within the limit all the time, the best first, "
        "with the PDOP that the first one leads to.",
        "Самые длинные интервалы с PDOP > {limit} или без решения; всего {n}, см. data/worst_intervals.csv. "
        "Помогли бы: любая из этих систем удержала бы PDOP в пределах всё время, лучшая первой, и PDOP с ней.",
        "PDOP > {limit} 或无解的最长时段；共 {n} 个，见 data/worst_intervals.csv。“可改善”："
        "其中任一系统即可使 PDOP 始终不超限，最佳者在前，并给出加入最佳者后的 PDOP。",
    ),
    "within_note": (
        "The PDOP was never above {limit} for: {cases}.",
        "PDOP ни разу не превысил {limit} для: {cases}.",
        "PDOP 从未超过 {limit}：{cases}。",
    ),
    "within_case": (
        "{systems} at {mask}° (largest {pdop}, {time})",
        "{systems} при {mask}° (наибольший {pdop}, {time})",
        "{systems}，{mask}°（最大 {pdop}，{time}）",
    ),
    "used_fewest": ("Fewest satellites", "Минимум спутников", "最少卫星数"),
    "begins": ("Begins (GPST)", "Начало (GPST)", "开始 (GPST)"),
    "ends": ("Ends (GPST)", "Конец (GPST)", "结束 (GPST)"),
    "duration": ("Length [min]", "Длительность [мин]", "时长 [分]"),
    "pdop_worst": ("Worst PDOP", "Худший PDOP", "最差 PDOP"),
    "helped_by": ("Would help", "Помогли бы", "可改善"),
    "pdop_helped": ("PDOP then", "PDOP тогда", "改善后 PDOP"),
    # Table of passes
    "pass_table": ("All passes", "Все прохождения", "全部过境"),
    "sv": ("Satellite", "Спутник", "卫星"),
    "rise": ("Rise (GPST)", "Восход (GPST)", "升起 (GPST)"),
    "culmination": ("Culmination", "Кульминация", "最高点"),
    "set": ("Set", "Заход", "落下"),
    "azimuths": ("Azimuths [deg]", "Азимуты [°]", "方位角 [°]"),
    "max_elevation": ("Highest [deg]", "Макс. угол [°]", "最大高度角 [°]"),
    "cut": ("Cut by", "Обрезано", "截断原因"),
    "cut_start": ("start", "началом", "时段开始"),
    "cut_end": ("end", "концом", "时段结束"),
    "cut_ephemeris": ("ephemeris", "эфемеридами", "星历"),
    # Index
    "comparison": ("Comparison of the stations", "Сравнение станций", "测站比较"),
    "alt_comparison": (
        "Median PDOP of each station, scenario and mask; the numbers are in the table below.",
        "Медиана PDOP по станциям, сценариям и маскам; числа в таблице ниже.",
        "各测站、方案和截止角的 PDOP 中位数；数值见下表。",
    ),
    "note_comparison": (
        "Logarithmic scale; dotted: the limit. Where a mark is missing, the median falls among epochs without a "
        "solution, or is above {top}.",
        "Логарифмическая шкала; пунктир: предел. Где знака нет, медиана приходится на эпохи без решения или "
        "выше {top}.",
        "对数坐标；虚线为限值。无标记处：中位数落在无解历元或大于 {top}。",
    ),
    "n_passes": ("Passes", "Прохождения", "过境次数"),
}


#: What the analysis says, as patterns.
_SAYINGS: Final = {
    key: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(texts[0])))
    for key, texts in TEXTS.items()
    if key.startswith("says_")
}


def said(text: str, t: Mapping[str, str]) -> str:
    """Return what the analysis says in English in the language of the words; what is unknown stays as it is.

    Examples
    --------
    >>> said("no satellite of GLONASS was tracked: the receiver is not set to it, or cannot", words("zh"))
    '未跟踪到 格洛纳斯 的任何卫星：接收机未设置或不支持'
    """
    for key, pattern in _SAYINGS.items():
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            if "system" in parts:
                parts["system"] = next((t[x] for x, system in SYSTEMS.items() if system.name == parts["system"]), "")
            if "what" in parts:
                parts["what"] = said(parts["what"], t)
            return t[key].format(**parts)
    return text


def words(language: str) -> dict[str, str]:
    """Return the words of a language by key.

    Parameters
    ----------
    language : {"en", "ru", "zh"}

    Raises
    ------
    OutputError
        For another language.

    Examples
    --------
    >>> words("ru")["station"]
    'Станция'
    """
    if language not in LANGUAGES:
        raise OutputError(f"there are no reports in {language!r}; choose a language from {', '.join(LANGUAGES)}")
    place = LANGUAGES.index(language)
    return {key: texts[place] for key, texts in TEXTS.items()}
