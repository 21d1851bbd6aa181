namespace ZeroStor.Contracts.Doors;

/// <summary>A coordinator: the disk grain that seals, codes and spreads the stripes of a put, and gathers and
/// opens them for a get. Callable by clients; the key is that of the disk grain (<c>silo/disk</c>).</summary>
[Alias("zs.stripe-door")]
public interface IStripeDoor : IGrainWithStringKey
{
    /// <summary>Takes one of the silo's slots for a put. The slot frees itself when nothing was heard of the
    /// put for <see cref="StripeDoor.SlotIdleSeconds"/>.</summary>
    /// <exception cref="ZeroStorException">Busy: no slot is free; NotFound: the vault.</exception>
    [Alias("open-put"), AnyGateway]
    Task<PutTicket> OpenPutAsync(OpenPut open, CancellationToken cancel);

    /// <summary>Hands over a piece of a stripe's content. Pieces may come in any order.</summary>
    /// <exception cref="ZeroStorException">Busy; NotFound: the slot is gone; InvalidArgument.</exception>
    [Alias("put-piece"), AnyGateway]
    Task PutPieceAsync(PutPiece piece, CancellationToken cancel);

    /// <summary>Hands over the last piece and makes the stripe durable on its homes. Asked again while it does, or
    /// soon after, it gives the same answer.</summary>
    /// <exception cref="ZeroStorException">As <see cref="PutPieceAsync"/>; NotFound: pieces are missing;
    /// PolicyUnsatisfiable: fewer homes
    /// than the vault's write floor took it, though it waited.</exception>
    [Alias("write-stripe"), AnyGateway]
    [ResponseTimeout(StripeDoor.WriteStripeTimeout)]
    Task<StripeWritten> WriteStripeAsync(WriteStripeOrder order, CancellationToken cancel);

    /// <summary>Frees the slot, and what pieces it holds.</summary>
    [Alias("close-put"), AnyGateway]
    Task ClosePutAsync(UInt128 put, CancellationToken cancel);

    /// <summary>Opens a range of a stripe's content. Every byte returned was verified. Where the vault's owner keeps the
    /// keys, the range is of the stripe's sealed bytes, and they come as they are.</summary>
    /// <exception cref="ZeroStorException">NotFound: the content died; TooFewShards; Corrupt.</exception>
    [Alias("read-stripe"), AnyGateway]
    Task<Parcel> ReadStripeAsync(ReadStripeOrder order, CancellationToken cancel);
}

/// <summary>What both sides of the stripe door hold to.</summary>
public static class StripeDoor
{
    /// <summary>Longer than any retry of a living SDK, short enough that the dead free their memory
    /// soon.</summary>
    public const int SlotIdleSeconds = 60;

    /// <summary>Stripes of one put under way at a time: hides the round trip to the homes, bounds the memory.
    /// </summary>
    public const int StripesInFlight = 4;

    /// <summary>How long a stripe may take to be written: a coordinator waits a minute for homes before it
    /// says PolicyUnsatisfiable, and its answer must still find somebody who listens.</summary>
    public const string WriteStripeTimeout = "00:01:30";
}

[GenerateSerializer, Immutable, Alias("zs.open-put")]
public sealed record OpenPut
{
    [Id(0)] public required string Vault { get; init; }

    /// <summary>To go on with a content after its coordinator was lost; null begins one.</summary>
    [Id(1)] public PutTicket? Resume { get; init; }

    /// <summary>The vault that the content key is for, where its owner made that: another under the same name is
    /// refused.</summary>
    [Id(2)] public VaultId? Id { get; init; }
}

/// <summary>The right to put one content.</summary>
[GenerateSerializer, Immutable, Alias("zs.put-ticket")]
public sealed record PutTicket
{
    /// <summary>Names the slot.</summary>
    [Id(0)] public required UInt128 Put { get; init; }

    [Id(1)] public required ContentId Content { get; init; }

    [Id(2)] public required byte[] WrappedKey { get; init; }

    [Id(3)] public required Code Code { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.put-piece")]
public sealed record PutPiece
{
    [Id(0)] public required UInt128 Put { get; init; }

    /// <summary>Which stripe of the content.</summary>
    [Id(1)] public required int Ordinal { get; init; }

    /// <summary>Content of the whole stripe: the same in each of its pieces.</summary>
    [Id(2)] public required int StripeBytes { get; init; }

    /// <summary>Where the piece begins in the stripe.</summary>
    [Id(3)] public required int Offset { get; init; }

    /// <summary>At most <see cref="Geometry.MaxPieceBytes"/> of content, or as many bytes as those come to sealed.
    /// </summary>
    [Id(4)] public required Parcel Bytes { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.write-stripe")]
public sealed record WriteStripeOrder
{
    [Id(0)] public required PutPiece LastPiece { get; init; }

    /// <summary>With the content's last stripe: the encoded <see cref="CommitDraft"/> of the commit to come; it
    /// is sealed and stands on the first m+1 homes, so that disks alone can tell what they hold.</summary>
    [Id(1)] public byte[] Draft { get; init; } = [];

    /// <summary>Where the owner keeps the keys: the pieces are sealed bytes, this names the sealing, and
    /// <see cref="Draft"/> is sealed, too.</summary>
    [Id(2)] public SealId? Seal { get; init; }

    /// <summary>With <see cref="Seal"/>: how much content was sealed.</summary>
    [Id(3)] public int ContentBytes { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.stripe-written")]
public sealed record StripeWritten
{
    [Id(0)] public required StripeRef Stripe { get; init; }

    /// <summary>Homes that took no shard: 0 is full redundancy.</summary>
    [Id(1)] public required int Missing { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.read-stripe")]
public sealed record ReadStripeOrder
{
    [Id(0)] public required string Vault { get; init; }

    [Id(1)] public required ContentId Content { get; init; }

    [Id(2)] public required byte[] WrappedKey { get; init; }

    [Id(3)] public required Code Code { get; init; }

    [Id(4)] public required int Ordinal { get; init; }

    [Id(5)] public required StripeRef Stripe { get; init; }

    /// <summary>First byte wanted, within the stripe's content; within its sealed bytes, where the owner keeps the keys.
    /// </summary>
    [Id(6)] public required int Offset { get; init; }

    [Id(7)] public required int Length { get; init; }

    /// <summary>So many of the homes that the range touches, the first ones, are taken for absent, and nothing
    /// is held against them: for administrators, to measure what reads take then. 0 to m.</summary>
    [Id(8)] public int AbsentHomes { get; init; }

    /// <summary>Where the owner keeps the keys, and what came before did not open: read all shards and hold each
    /// against the shard sums.</summary>
    [Id(9)] public bool IsVerified { get; init; }
}
