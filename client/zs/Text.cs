using System.Globalization;

namespace ZeroStor.CommandLine;

/// <summary>Numbers for people.</summary>
internal static class Text
{
    private const int BarWidth = 20;

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Bytes(double bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        string number = bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture);
        return $"{number} {Units[unit]}";
    }

    public static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes}:{time:ss}");

    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>One line of progress, at most <paramref name="width"/> wide. The label gives way
    /// first.</summary>
    public static string Progress(string label, long done, long? total, TimeSpan elapsed, int width)
    {
        double rate = elapsed > TimeSpan.Zero ? done / elapsed.TotalSeconds : 0;
        string state;
        if (total is > 0)
        {
            double share = Math.Min(1, (double)done / total.Value);
            int filled = (int)(share * BarWidth);
            string left = rate > 0
                ? $"  {Duration(TimeSpan.FromSeconds(Math.Min((total.Value - done) / rate, 359999)))} left"
                : "";
            state = string.Create(
                CultureInfo.InvariantCulture,
                $"[{new string('#', filled)}{new string('.', BarWidth - filled)}] {(int)(share * 100),3}%"
                + $"  {Bytes(done)} of {Bytes(total.Value)}  {Bytes(rate)}/s{left}");
        }
        else
        {
            state = $"{Bytes(done)}  {Bytes(rate)}/s  {Duration(elapsed)}";
        }

        int room = width - state.Length - 2;
        string line = room <= 1 ? state
            : label.Length <= room ? $"{label}  {state}"
            : $"{label[..(room - 1)]}…  {state}";
        return line.Length <= width ? line : line[..width];
    }
}
