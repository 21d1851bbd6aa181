using System.Collections.Immutable;

namespace ZeroStor.Client;

/// <summary>The StripeRefs of a put as they come in, in any order, kept by page. A full page is
/// handed out to be written, so the memory of a put does not grow with its length. Thread-safe.</summary>
internal sealed class StripeList(Code code)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, Page> _pages = [];

    /// <summary>Adds one; its page, encoded and taken out, when that is full now.</summary>
    public (int Page, byte[] Bytes)? Add(int ordinal, StripeRef stripe)
    {
        lock (_gate)
        {
            int number = ordinal / Geometry.StripesPerPage;
            if (!_pages.TryGetValue(number, out Page? page))
            {
                _pages[number] = page = new Page();
            }

            page.Stripes[ordinal % Geometry.StripesPerPage] = stripe;
            page.Count++;
            return page.Count == Geometry.StripesPerPage ? Take(number) : null;
        }
    }

    /// <summary>What is left once all stripes are in: the stripes themselves where a manifest holds so many,
    /// else the pages that were not taken.</summary>
    public (ImmutableArray<StripeRef> Inline, ImmutableArray<(int Page, byte[] Bytes)> Pages) Finish(
        int stripeCount, int maxInline = Geometry.MaxInlineStripes)
    {
        lock (_gate)
        {
            if (stripeCount > maxInline)
            {
                int[] left = [.. _pages.Keys];
                return ([], [.. left.Select(Take)]);
            }

            return _pages.TryGetValue(0, out Page? page)
                ? ([.. page.Stripes.AsSpan(0, stripeCount)], [])
                : ([], []);
        }
    }

    private (int Page, byte[] Bytes) Take(int number)
    {
        _pages.Remove(number, out Page? page);
        return (number, Manifest.EncodePage(code, page!.Stripes.AsSpan(0, page.Count)));
    }

    private sealed class Page
    {
        public StripeRef[] Stripes { get; } = new StripeRef[Geometry.StripesPerPage];

        public int Count { get; set; }
    }
}
