using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>Something for the writer to do. It holds its buffers until the writer is done with it, however
/// long its caller waits.</summary>
internal abstract class WriteItem(long bytes, CancellationToken cancel)
{
    // Continuations must never run on the writer's thread.
    private readonly TaskCompletionSource<HomeAnswer> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it counts in the queue.</summary>
    internal long Bytes { get; } = bytes;

    /// <summary>Of that, what is copied when it is laid.</summary>
    internal virtual long CopiedBytes => Bytes;

    internal bool IsCancelled => cancel.IsCancellationRequested;

    internal Task<HomeAnswer> Answer => _answer.Task;

    /// <summary>Gives the buffers back and answers.</summary>
    internal void Complete(HomeAnswer answer)
    {
        Release();
        _answer.TrySetResult(answer);
    }

    protected virtual void Release()
    {
    }
}

/// <summary>A shard to append. Header, extensions and a small payload stand in one buffer; a larger payload
/// stays where it is, and a large one is written from there.</summary>
internal sealed class AppendItem : WriteItem
{
    // Below this, copying costs less than one more piece in the write.
    private const int SmallPayloadBytes = 2048;

    private AppendItem(
        ShardHeader shard, BufferSlice head, BufferSlice payload, int bytes, CancellationToken cancel)
        : base(bytes, cancel)
    {
        Shard = shard;
        Head = head;
        Payload = payload;
        RecordBytes = bytes;
    }

    internal ShardHeader Shard { get; }

    /// <summary>From the record's start; with a small payload the whole record.</summary>
    internal BufferSlice Head { get; }

    /// <summary>A payload that is not small; else empty.</summary>
    internal BufferSlice Payload { get; }

    /// <summary>Whether the payload is large enough to be written from where it lies.</summary>
    private bool IsLarge { get; init; }

    internal override long CopiedBytes => IsLarge ? Head.Length + RecordFormat.BlockBytes : Bytes;

    /// <summary>Of the record, without a gap: one never makes it end in a later block.</summary>
    internal int RecordBytes { get; }

    /// <summary>Lays the record out as far as can be before its place is known, and holds the
    /// payload.</summary>
    /// <param name="parts">What is appended.</param>
    /// <param name="pool">Where the memory is from.</param>
    /// <param name="inPlaceBytes">A payload of so much is written from where it lies.</param>
    /// <param name="cancel">Nobody waits any more.</param>
    internal static AppendItem Make(
        ShardAppendParts parts, BufferPool pool, int inPlaceBytes, CancellationToken cancel)
    {
        int extensionBytes = RecordFormat.ExtensionBytes(parts.Extensions);
        bool isLarge = parts.Payload.Length >= inPlaceBytes;
        bool isSmall = parts.Payload.Length <= SmallPayloadBytes && !isLarge;
        int headBytes = RecordFormat.HeaderBytes + extensionBytes;
        BufferSlice head = pool.RentSlice(
            isSmall ? RecordFormat.Align(headBytes + parts.Payload.Length) : headBytes);
        Span<byte> bytes = head.Span;
        Span<byte> extensions = bytes.Slice(RecordFormat.HeaderBytes, extensionBytes);
        RecordFormat.WriteExtensions(extensions, parts.Extensions);
        int recordBytes = RecordFormat.WriteShard(bytes, parts.Header, extensions);
        if (!isSmall)
        {
            return new AppendItem(parts.Header, head, parts.Payload.Hold(), recordBytes, cancel)
            {
                IsLarge = isLarge,
            };
        }

        parts.Payload.Span.CopyTo(bytes[headBytes..]);
        bytes[(headBytes + parts.Payload.Length)..].Clear();
        return new AppendItem(parts.Header, head, default, recordBytes, cancel);
    }

    /// <summary>Completes the record's lengths for the place that it gets. A large payload is written from where it lies
    /// where the gap that it needs costs nothing, as the record ends in the same block with it: as no two batches share
    /// one, records that are written alone cost as much with gaps as without.</summary>
    /// <param name="offset">Where it begins.</param>
    /// <param name="isInPlace">Whether the payload is written from where it lies, and not copied.</param>
    /// <returns>The record's length.</returns>
    internal int LayAt(long offset, out bool isInPlace)
    {
        long payloadAt = offset + Head.Length;
        int gap = RecordFormat.ToBlock(payloadAt - Payload.Offset);
        isInPlace = IsLarge && gap <= RecordFormat.ToBlock(payloadAt + Payload.Length);
        return isInPlace ? RecordFormat.WritePayloadOffset(Head.Span, Head.Length + gap) : RecordBytes;
    }

    protected override void Release()
    {
        Head.Release();
        Payload.Release();
    }
}

/// <summary>What an append brings.</summary>
internal readonly record struct ShardAppendParts(
    ShardHeader Header, ImmutableArray<RecordExtension> Extensions, BufferSlice Payload);

/// <summary>Contents whose shards are to be dropped.</summary>
internal sealed class DeleteItem(HashSet<ContentId> contents, CancellationToken cancel) : WriteItem(0, cancel)
{
    internal HashSet<ContentId> Contents { get; } = contents;
}

/// <summary>Single shards that are to be dropped, unless <paramref name="refuses"/> says otherwise when their
/// turn has come: the last moment at which whoever wants them can be heard.</summary>
internal sealed class DropItem(HashSet<ShardName> shards, Func<HomeAnswer?> refuses, CancellationToken cancel)
    : WriteItem(0, cancel)
{
    internal HashSet<ShardName> Shards { get; } = shards;

    internal HomeAnswer? Refuses() => refuses();
}

/// <summary>A record read whole out of a volume that is being compacted, and checked.</summary>
internal readonly record struct CopiedRecord(RecordHeader Header, RecordPosition From, Memory<byte> Bytes);

/// <summary>Live records to be written again into the active volume.</summary>
internal sealed class CopyItem(BufferSlice buffer, List<CopiedRecord> records) : WriteItem(buffer.Length, default)
{
    internal List<CopiedRecord> Records { get; } = records;

    protected override void Release() => buffer.Release();
}

/// <summary>Seal the active volume if enough of it is dead, and write footers that sealed volumes lack.
/// </summary>
internal sealed class SealItem() : WriteItem(0, default);

/// <summary>Repeat the durable length in the superblock, and with it the highest tick seen.</summary>
/// <param name="seen">A tick that the disk is told of; 0 when of none.</param>
internal sealed class MarkItem(Tick seen = default) : WriteItem(0, default)
{
    internal Tick Seen { get; } = seen;
}
