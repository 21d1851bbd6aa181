using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>What becomes of a key's earlier versions when an order is applied: a matter of the vault's
/// versioning alone.</summary>
internal sealed record Succession
{
    /// <summary>Ends for good; null: none does.</summary>
    public VersionRow? Gone { get; private init; }

    /// <summary>Whether <see cref="Gone"/> is the current version, and not an earlier one or a
    /// mark.</summary>
    public bool IsGoneCurrent { get; private init; }

    /// <summary>Is kept, and current no more.</summary>
    public VersionRow? Retired { get; private init; }

    /// <summary>Becomes current again.</summary>
    public VersionRow? Restored { get; private init; }

    /// <summary>Whether a mark is put before all others.</summary>
    public bool IsMarked { get; private init; }

    /// <summary>Whether what is made is kept by later changes: then it is not the key's null
    /// version.</summary>
    public bool IsKept { get; private init; }

    /// <param name="order">The order.</param>
    /// <param name="versioning">Its vault's.</param>
    /// <param name="head">The current version.</param>
    /// <param name="newest">The latest two that are not.</param>
    /// <param name="named">The one that the order names, for a delete by name; else the null version that is
    /// not current.</param>
    public static Succession Of(
        CommitOrder order,
        Versioning versioning,
        VersionRow? head,
        ImmutableArray<VersionRow> newest,
        VersionRow? named)
    {
        if (order.Kind == CommitKind.Delete && order.Version is not null)
        {
            return OfRemoval(head, newest, named);
        }

        bool isKept = versioning == Versioning.On;
        VersionRow? gone = isKept ? null : head is { IsKept: false } ? head : named;
        return new Succession
        {
            Gone = gone,
            IsGoneCurrent = gone is not null && gone == head,
            Retired = gone == head ? null : head,
            IsMarked = order.Kind == CommitKind.Delete && versioning != Versioning.Off,
            IsKept = isKept,
        };
    }

    // Where the latest change goes, the one before it has the key again, unless that is a mark.
    private static Succession OfRemoval(VersionRow? head, ImmutableArray<VersionRow> newest, VersionRow? named)
    {
        bool isCurrent = named is not null && named == head;
        bool isMarkOfKey = head is null && named is not null && !newest.IsEmpty && newest[0].Seq == named.Seq;
        int next = isCurrent ? 0 : isMarkOfKey ? 1 : newest.Length;
        return new Succession
        {
            Gone = named,
            IsGoneCurrent = isCurrent,
            Restored = next < newest.Length && !newest[next].IsMark ? newest[next] : null,
        };
    }
}
