using ZeroStor.Volumes;

namespace ZeroStor.Benchmarks;

/// <summary>A disk full of small records, written as its writer would but for the syncs and the answers.
/// </summary>
internal static class FullDisk
{
    private const int PayloadBytes = 24;
    private const int Groups = 240;
    private const int TicksOfWriting = 40_000;
    private const int BatchBytes = 8 * 1024 * 1024;

    private static readonly FabricId Fabric = new(1);
    private static readonly DiskId Id = new(1);

    /// <summary>Makes the disk; returns the bytes of all its footers.</summary>
    internal static long Build(string root, int records)
    {
        var entropy = new FastEntropy();
        Disk.Format(root, Fabric, Id, entropy);
        using var superblock = SuperblockFile.Open(OsFile.Files, root, FileUse.ReadWrite);
        var options = new DiskOptions();
        long footerBytes = 0;
        uint number = 0;
        Volume? last = null;
        for (int left = records; left > 0;)
        {
            last?.Unpin();
            last = Volume.Create(OsFile.Files, root, superblock.Current, ++number, entropy);
            var shards = new List<HeldShard>();
            while (left > 0 && last.NextBatch < options.VolumeBytes)
            {
                left -= WriteBatch(last, left, (records - left) / (double)records, options, entropy, shards);
            }

            last.File.Sync();
            footerBytes += WriteFooter(last, shards);
        }

        superblock.Update(s => s with
        {
            IsClean = true, LastVolume = number, MarkVolume = number, DurableBytes = last!.FileBytes,
        });
        last!.Unpin();
        return footerBytes;
    }

    /// <summary>Every volume, and where its footer begins.</summary>
    internal static IEnumerable<(string Path, long Start)> Footers(string root)
    {
        using var superblock = SuperblockFile.Open(OsFile.Files, root, FileUse.Read);
        foreach (uint number in DiskFolder.ListVolumes(OsFile.Files, root))
        {
            string path = DiskFolder.VolumePath(root, number);
            using IDiskFile file = OsFile.Files.Open(path, FileUse.Read);
            UInt128 generation = Volume.ReadHeader(file, superblock.Current, number)!.Value;
            long length = file.Identify().Length;
            yield return (path, VolumeFooter.TryOpen(file, number, generation, length)!.Trailer.Start);
        }
    }

    internal static void CutFooters(string root)
    {
        foreach ((string path, long start) in Footers(root).ToList())
        {
            using IDiskFile file = OsFile.Files.Open(path, FileUse.ReadWrite);
            file.Truncate(start);
        }
    }

    private static int WriteBatch(
        Volume volume,
        int max,
        double progress,
        DiskOptions options,
        FastEntropy entropy,
        List<HeldShard> shards)
    {
        var tick = new Tick(1 + (uint)(progress * TicksOfWriting));
        int recordBytes = RecordFormat.Align(RecordFormat.HeaderBytes + PayloadBytes);
        int room = (int)Math.Min(BatchBytes, Math.Max(recordBytes, options.VolumeBytes - volume.NextBatch));
        int count = Math.Min(max, room / recordBytes);
        byte[] batch = new byte[RecordFormat.AlignBlock(count * recordBytes)];
        long start = volume.NextBatch;
        long end = start + (count * recordBytes);
        for (int i = 0; i < count; i++)
        {
            Span<byte> record = batch.AsSpan(i * recordBytes, recordBytes);
            var at = new RecordPosition(volume.Number, start + (i * recordBytes));
            shards.Add(WriteRecord(record, at, volume.Generation, i == 0 ? start : null, tick, entropy));
        }

        volume.Write([batch], start, volume.LengthWith(start, end, options));
        volume.Advance(end);
        return count;
    }

    private static HeldShard WriteRecord(
        Span<byte> record,
        RecordPosition at,
        UInt128 generation,
        long? durableBytes,
        Tick tick,
        FastEntropy entropy)
    {
        Span<byte> payload = record[RecordFormat.HeaderBytes..];
        entropy.Fill(payload);
        var stripe = StripeId.New(tick, entropy);
        uint group = (uint)stripe.Value % Groups;
        var header = new ShardHeader
        {
            Stripe = stripe,
            Content = ContentId.New(tick, entropy),
            Vault = new VaultId(1),
            Seal = SealId.New(entropy),
            Group = new GroupId(group + 1),
            Place = (byte)(group % 24),
            Code = new Code(20, 4),
            Ordinal = 0,
            ContentBytes = PayloadBytes,
            SealedBytes = PayloadBytes,
            ShardBytes = PayloadBytes,
            Tick = tick,
            ShardSum = Sum128.Of(payload),
            SumsDigest = Sum128.Of(payload),
        };
        RecordFormat.WriteShard(record, header, []);
        RecordFormat.WritePlacing(record, generation, Id, 0, at, durableBytes);
        return new HeldShard
        {
            Stripe = header.Stripe,
            Place = header.Place,
            Group = header.Group,
            Content = header.Content,
            SumsDigest = header.SumsDigest,
            Position = at,
            RecordBytes = record.Length,
        };
    }

    private static long WriteFooter(Volume volume, List<HeldShard> shards)
    {
        shards.Sort((a, b) => a.CompareNames(b));
        var trailer = new FooterTrailer(
            volume.NextBatch,
            volume.End,
            shards.Count,
            KeptBytes: 0,
            new Tick(TicksOfWriting + 1),
            MayHoldUnnamed: false);
        volume.WriteFooter(VolumeFooter.Lay(volume.Generation, trailer, shards, [])!);
        return trailer.Bytes;
    }
}
