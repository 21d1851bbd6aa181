using System.Net;
using System.Net.Sockets;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What the disks themselves take: raw direct writes of a megabyte, each durable when it returns, to
/// a file of this process beside those of each disk, to all disks at once. The files are written whole before
/// anything counts: to write again what was written is the faster way, and the one that volumes
/// take.</summary>
/// <param name="BytesPerSecond">Of all disks together; null where it cannot be measured.</param>
/// <param name="WhyNot">Why it cannot; empty where it was measured.</param>
internal sealed record DiskLimit(double? BytesPerSecond, string WhyNot)
{
    private const int WriteBytes = 1024 * 1024;

    /// <summary>Of each disk: so many are written in turn that a device cannot join them.</summary>
    private const int WritesPerFile = 4;

    /// <summary>Threads that wait for disks; more would measure threads.</summary>
    private const int MaxLanes = 32;

    private const int Tries = 3;

    // As a disk calls its first file: where it is, the folder is a disk's.
    private const string SuperblockName = "superblock";

    public static DiskLimit Measure(
        IEnumerable<SiloDetails> silos,
        IEnumerable<DiskStatus> disks,
        TimeSpan time,
        CancellationToken cancel)
    {
        var here = silos.Where(s => IsHere(s.Address))
            .Select(s => s.Status.Name)
            .ToHashSet(StringComparer.Ordinal);
        DiskStatus[] up = [.. disks.Where(d => d.State == "up")];
        DiskStatus? far = Array.Find(
            up, d => !here.Contains(d.Silo) || !File.Exists(Path.Combine(d.Path, SuperblockName)));
        return far is not null
            ? new DiskLimit(null, $"disk {far.Id} of silo {far.Silo} ({far.Path}) is not on this machine")
            : Measure([.. up.Select(d => d.Path)], time, cancel);
    }

    public static DiskLimit Measure(IReadOnlyList<string> folders, TimeSpan time, CancellationToken cancel)
    {
        if (folders.Count == 0)
        {
            return new DiskLimit(null, "no disk is up");
        }

        var files = new List<DirectFile>();
        try
        {
            foreach (string folder in folders)
            {
                files.Add(DirectFile.Create(folder));
            }

            return new DiskLimit(Measure(files, time, cancel), "");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new DiskLimit(
                null, $"the disks' folders may not be written so: {failure.Message.TrimEnd('.')}");
        }
        finally
        {
            files.ForEach(f => f.Dispose());
        }
    }

    private static double Measure(List<DirectFile> files, TimeSpan time, CancellationToken cancel)
    {
        SharedBuffer bytes = BufferPool.Shared.Rent(WriteBytes);
        try
        {
            bytes.Span.Fill(0xa5);
            DirectFile[][] lanes =
            [
                .. files.Index().GroupBy(
                    f => f.Index % MaxLanes, (_, lane) => lane.Select(f => f.Item).ToArray()),
            ];
            Run(lanes, lane => WriteWhole(lane, bytes.Span[..WriteBytes]));
            double best = 0;
            for (int i = 0; i < Tries; i++)
            {
                cancel.ThrowIfCancellationRequested();
                double rate = Run(lanes, lane => WriteFor(lane, bytes.Span[..WriteBytes], time)).Sum();
                best = Math.Max(best, rate);
            }

            return best;
        }
        finally
        {
            bytes.Release();
        }
    }

    private static double[] Run(DirectFile[][] lanes, Func<DirectFile[], double> work)
    {
        Task<double>[] tasks = Array.ConvertAll(lanes, lane => Task.Factory.StartNew(
            () => work(lane),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));

        // All have ended before a file is closed.
        Task.WhenAll(tasks).GetAwaiter().GetResult();
        return Array.ConvertAll(tasks, t => t.Result);
    }

    private static double WriteWhole(DirectFile[] lane, ReadOnlySpan<byte> bytes)
    {
        foreach (DirectFile file in lane)
        {
            for (int i = 0; i < WritesPerFile; i++)
            {
                file.Write(bytes, (long)i * WriteBytes);
            }
        }

        return 0;
    }

    private static double WriteFor(DirectFile[] lane, ReadOnlySpan<byte> bytes, TimeSpan time)
    {
        long began = TimeProvider.System.GetTimestamp();
        long written = 0;
        TimeSpan took;
        do
        {
            long turn = written / WriteBytes;
            long offset = turn / lane.Length % WritesPerFile * WriteBytes;
            lane[turn % lane.Length].Write(bytes, offset);
            written += WriteBytes;
            took = TimeProvider.System.GetElapsedTime(began);
        }
        while (took < time);
        return written / took.TotalSeconds;
    }

    // Only an address of this machine can be listened at.
    private static bool IsHere(string address)
    {
        if (!IPEndPoint.TryParse(address, out IPEndPoint? silo))
        {
            return false;
        }

        try
        {
            using var socket = new Socket(silo.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(silo.Address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
