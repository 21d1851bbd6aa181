using System.Buffers.Binary;
using System.IO.Hashing;

namespace ZeroStor.Cluster.Tests;

/// <summary>A shard as its record states it.</summary>
internal sealed record ColdShard(
    UInt128 Stripe, UInt128 Content, uint Group, byte Place, int K, int M, string File, long PayloadOffset, int Bytes);

/// <summary>What a disk's folder holds, read from its volume files alone by the tables of the volumes' README, and
/// by none of the code that wrote them: so that what the fabric says of its disks can be held against them. Only for
/// folders that nobody writes to.</summary>
internal static class ColdDisk
{
    private const int VolumeHeaderBytes = 8192;
    private const int RecordHeaderBytes = 216;
    private const int Alignment = 8;
    private const byte ShardKind = 1;
    private const byte DeleteKind = 2;

    /// <summary>The shards that are whole and not deleted.</summary>
    public static List<ColdShard> Read(string folder)
    {
        var shards = new Dictionary<(UInt128 Stripe, byte Place), (ulong At, ColdShard Shard)>();
        var contentDeletes = new Dictionary<UInt128, ulong>();
        var shardDeletes = new Dictionary<(UInt128 Stripe, byte Place), ulong>();
        string volumes = Path.Combine(folder, "volumes");
        string[] files = Directory.Exists(volumes) ? Directory.GetFiles(volumes, "*.vol") : [];
        foreach (string file in files.Order(StringComparer.Ordinal))
        {
            Read(file, shards, contentDeletes, shardDeletes);
        }

        return
        [
            .. shards.Where(s => s.Value.At >= contentDeletes.GetValueOrDefault(s.Value.Shard.Content)
                    && s.Value.At >= shardDeletes.GetValueOrDefault(s.Key))
                .Select(s => s.Value.Shard),
        ];
    }

    private static void Read(
        string file,
        Dictionary<(UInt128 Stripe, byte Place), (ulong At, ColdShard Shard)> shards,
        Dictionary<UInt128, ulong> contentDeletes,
        Dictionary<(UInt128 Stripe, byte Place), ulong> shardDeletes)
    {
        byte[] bytes = File.ReadAllBytes(file);
        if (bytes.Length < VolumeHeaderBytes)
        {
            return;
        }

        byte[] generation = bytes[40..56];
        ulong volume = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(60));
        for (int at = VolumeHeaderBytes; at + RecordHeaderBytes <= bytes.Length;)
        {
            ReadOnlySpan<byte> record = bytes.AsSpan(at);
            if (!IsRecord(record, generation, at))
            {
                at += Alignment;
                continue;
            }

            ulong position = (volume << 32) + (ulong)(at / Alignment);
            UInt128 stripe = BinaryPrimitives.ReadUInt128BigEndian(record[104..]);
            UInt128 content = BinaryPrimitives.ReadUInt128BigEndian(record[120..]);
            byte place = record[172];
            ulong until = BinaryPrimitives.ReadUInt64BigEndian(record[192..]);
            if (record[5] == DeleteKind && stripe == UInt128.Zero)
            {
                contentDeletes[content] = Math.Max(contentDeletes.GetValueOrDefault(content), until);
            }
            else if (record[5] == DeleteKind)
            {
                shardDeletes[(stripe, place)] = Math.Max(shardDeletes.GetValueOrDefault((stripe, place)), until);
            }
            else if (record[5] == ShardKind && IsPayloadGood(record, out int offset, out int length))
            {
                shards[(stripe, place)] = (position, new ColdShard(
                    stripe,
                    content,
                    BinaryPrimitives.ReadUInt32BigEndian(record[168..]),
                    place,
                    record[173],
                    record[174],
                    file,
                    at + offset,
                    length));
            }

            at += BinaryPrimitives.ReadInt32BigEndian(record[40..]);
        }
    }

    private static bool IsRecord(ReadOnlySpan<byte> record, byte[] generation, int at)
    {
        if (!record.StartsWith("ZSRC"u8) || BinaryPrimitives.ReadInt64BigEndian(record[24..]) != at)
        {
            return false;
        }

        byte[] summed = [.. generation, .. record[..200]];
        return XxHash128.HashToUInt128(summed) == BinaryPrimitives.ReadUInt128BigEndian(record[200..]);
    }

    private static bool IsPayloadGood(ReadOnlySpan<byte> record, out int offset, out int length)
    {
        offset = BinaryPrimitives.ReadInt32BigEndian(record[48..]);
        length = BinaryPrimitives.ReadInt32BigEndian(record[52..]);
        return offset + length <= record.Length
            && XxHash128.HashToUInt128(record.Slice(offset, length))
                == BinaryPrimitives.ReadUInt128BigEndian(record[72..]);
    }
}
