using System.Globalization;

namespace ZeroStor.Load;

/// <summary>What was acknowledged: a line for each object, written when the fabric said that it has it. A run that
/// is killed leaves what it was told so far. Thread-safe.</summary>
internal sealed class Acknowledged : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _file;
    private readonly List<(string Key, Content Content)> _all;

    private Acknowledged(StreamWriter file, List<(string Key, Content Content)> all) => (_file, _all) = (file, all);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _all.Count;
            }
        }
    }

    public static Acknowledged Open(string path)
    {
        List<(string Key, Content Content)> all = File.Exists(path) ? [.. File.ReadLines(path).Select(Parse)] : [];
        return new Acknowledged(new StreamWriter(path, append: true) { AutoFlush = true }, all);
    }

    public void Add(string key, Content content)
    {
        lock (_lock)
        {
            _all.Add((key, content));
            _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key} {content.Bytes} {content.Seed}"));
        }
    }

    /// <summary>One of those whose size is wanted; null while there is none.</summary>
    public (string Key, Content Content)? Any(Random random, long wantedBytes)
    {
        lock (_lock)
        {
            // Where few have the size, some tries find one of them all the same.
            for (int tries = 0; tries < 1000 && _all.Count > 0; tries++)
            {
                (string Key, Content Content) one = _all[random.Next(_all.Count)];
                if (wantedBytes == 0 || one.Content.Bytes == wantedBytes)
                {
                    return one;
                }
            }

            return null;
        }
    }

    public IReadOnlyList<(string Key, Content Content)> All()
    {
        lock (_lock)
        {
            return [.. _all];
        }
    }

    public void Dispose() => _file.Dispose();

    private static (string Key, Content Content) Parse(string line)
    {
        string[] parts = line.Split(' ');
        return (
            parts[0],
            new Content(
                ulong.Parse(parts[2], CultureInfo.InvariantCulture),
                long.Parse(parts[1], CultureInfo.InvariantCulture)));
    }
}
