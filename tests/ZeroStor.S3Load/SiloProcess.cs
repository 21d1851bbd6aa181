using System.Globalization;

namespace ZeroStor.S3Load;

/// <summary>What a process takes of this machine, as Linux tells it.</summary>
internal sealed class SiloProcess(int pid)
{
    private const double ClockTicksPerSecond = 100;

    private const int UserTicksField = 11;

    public long ResidentMiB => StatusKiB("VmRSS") / 1024;

    /// <summary>The most since the process began, or since <see cref="ForgetPeak"/>.</summary>
    public long PeakMiB => StatusKiB("VmHWM") / 1024;

    public int Handles => Directory.GetFiles($"/proc/{pid}/fd").Length;

    public TimeSpan Processor
    {
        get
        {
            // The name before them is in brackets, and may hold anything.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds(fields[UserTicksField..(UserTicksField + 2)]
                .Sum(f => long.Parse(f, CultureInfo.InvariantCulture)) / ClockTicksPerSecond);
        }
    }

    public void ForgetPeak() => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    private long StatusKiB(string name)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(
            l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return long.Parse(line[(name.Length + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
